// espl_add_select: adds one of two numbers; on ECP5's carry cells alone.
// SPDX-License-Identifier: Apache-2.0
//
// Computes   sum_o = a_i + (select_i ? b_i : c_i), modulo 2^Width.
// How        Each half of a CCU2C propagates LUT4(A, B, C, D) = A ^ (D ? B : C) and
//            generates LUT2(A, B) = A, which is right since a bit that does not
//            propagate has both terms equal. So the choice costs nothing.
// Latency    none: combinational.
// Cost       Width / 2 CCU2C.
// The same   rtl/compute/espl_add_select.sv, the portable form.

`default_nettype none

module espl_add_select #(
    parameter int unsigned Width = 24
) (
    input  wire logic [Width-1:0] a_i,
    input  wire logic [Width-1:0] b_i,
    input  wire logic [Width-1:0] c_i,
    input  wire logic             select_i,
    output      logic [Width-1:0] sum_o
);

  localparam int unsigned Pairs = (Width + 1) / 2;
  localparam int unsigned Carries = (Pairs > 1) ? Pairs - 1 : 1;
  logic [2*Pairs-1:0] a, b, c, sum;
  logic [Carries:0] carry;  // none out of the last: place and route would spend a cell on it
  assign a        = (2*Pairs)'(a_i);
  assign b        = (2*Pairs)'(b_i);
  assign c        = (2*Pairs)'(c_i);
  assign carry[0] = 1'b0;
  assign sum_o    = sum[Width-1:0];

  for (genvar k = 0; k < Pairs; k++) begin : gen_pair
    // index of a LUT4 {D, C, B, A}: D ? A ^ B : A ^ C; its index 3:0 is the LUT2, A
    if (k + 1 < Pairs) begin : gen_carry
      CCU2C #(.INIT0(16'h665A), .INIT1(16'h665A), .INJECT1_0("NO"), .INJECT1_1("NO")) u_add (
          .CIN(carry[k]), .D0(select_i), .D1(select_i),
          .A0(a[2*k]), .B0(b[2*k]), .C0(c[2*k]), .S0(sum[2*k]),
          .A1(a[2*k+1]), .B1(b[2*k+1]), .C1(c[2*k+1]), .S1(sum[2*k+1]),
          .COUT(carry[k+1]));
    end else begin : gen_last
      CCU2C #(.INIT0(16'h665A), .INIT1(16'h665A), .INJECT1_0("NO"), .INJECT1_1("NO")) u_add (
          .CIN(carry[k]), .D0(select_i), .D1(select_i),
          .A0(a[2*k]), .B0(b[2*k]), .C0(c[2*k]), .S0(sum[2*k]),
          .A1(a[2*k+1]), .B1(b[2*k+1]), .C1(c[2*k+1]), .S1(sum[2*k+1]),
          .COUT());
    end
  end

  logic unused;
  assign unused = &{1'b0, carry, sum};

endmodule

`default_nettype wire
