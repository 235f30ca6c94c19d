// espl_add_rows: adds two numbers, each of which a bit lets through; on ECP5's carry cells alone.
// SPDX-License-Identifier: Apache-2.0
//
// Computes   sum_o = (a_on_i ? a_i : 0) + (b_on_i ? b_i : 0), modulo 2^Width.
// How        Each half of a CCU2C propagates LUT4(A, B, C, D) = (A & B) ^ (C & D) and
//            generates LUT2(A, B) = A & B, which is right since a bit that does not
//            propagate has both terms equal. So the gates cost nothing.
// Latency    none: combinational.
// Cost       Width / 2 CCU2C.
// The same   rtl/compute/espl_add_rows.sv, the portable form.

`default_nettype none

module espl_add_rows #(
    parameter int unsigned Width = 24
) (
    input  wire logic [Width-1:0] a_i,
    input  wire logic             a_on_i,
    input  wire logic [Width-1:0] b_i,
    input  wire logic             b_on_i,
    output      logic [Width-1:0] sum_o
);

  localparam int unsigned Pairs = (Width + 1) / 2;
  logic [2*Pairs-1:0] a, b, sum;
  logic [Pairs:0] carry;
  assign a        = (2*Pairs)'(a_i);
  assign b        = (2*Pairs)'(b_i);
  assign carry[0] = 1'b0;
  assign sum_o    = sum[Width-1:0];

  for (genvar k = 0; k < Pairs; k++) begin : gen_pair
    // index of a LUT4 {D, C, B, A}; its index 3:0 is the LUT2, A & B
    CCU2C #(.INIT0(16'h7888), .INIT1(16'h7888), .INJECT1_0("NO"), .INJECT1_1("NO")) u_add (
        .CIN(carry[k]),
        .A0(a[2*k]), .B0(a_on_i), .C0(b[2*k]), .D0(b_on_i), .S0(sum[2*k]),
        .A1(a[2*k+1]), .B1(a_on_i), .C1(b[2*k+1]), .D1(b_on_i), .S1(sum[2*k+1]),
        .COUT(carry[k+1]));
  end

  logic unused;
  assign unused = &{1'b0, carry, sum};

endmodule

`default_nettype wire
