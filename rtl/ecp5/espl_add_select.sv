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
  logic [2*Pairs-1:0] a, b, c, sum;
  logic [Pairs:0] carry;
  assign a        = (2*Pairs)'(a_i);
  assign b        = (2*Pairs)'(b_i);
  assign c        = (2*Pairs)'(c_i);
  assign carry[0] = 1'b0;
  assign sum_o    = sum[Width-1:0];

  for (genvar k = 0; k < Pairs; k++) begin : gen_pair
    CCU2C #(
        .INIT0(16'h665A),  // index {D, C, B, A}: D ? A ^ B : A ^ C; and index 3:0 is A
        .INIT1(16'h665A),
        .INJECT1_0("NO"),
        .INJECT1_1("NO")
    ) u_add (
        .CIN(carry[k]),
        .A0(a[2*k]),
        .B0(b[2*k]),
        .C0(c[2*k]),
        .D0(select_i),
        .A1(a[2*k+1]),
        .B1(b[2*k+1]),
        .C1(c[2*k+1]),
        .D1(select_i),
        .S0(sum[2*k]),
        .S1(sum[2*k+1]),
        .COUT(carry[k+1])
    );
  end

  logic unused;
  assign unused = &{1'b0, carry[Pairs], sum};

endmodule

`default_nettype wire
