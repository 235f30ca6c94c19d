// espl_add_pass: adds two numbers, or lets one through; on ECP5's carry cells alone.
// SPDX-License-Identifier: Apache-2.0
//
// Computes   sum_o = pass_i ? (second_i ? b_i : a_i) : a_i + b_i, modulo 2^Width.
// How        Each half of a CCU2C propagates LUT4(A, B, C, D), where D says pass, and C
//            says which or, without D, is 1; it generates A & B. A number that passes
//            meets no carry, since where it does not propagate A & B is 0.
// Latency    none: combinational.
// Cost       Width / 2 CCU2C.
// The same   rtl/compute/espl_add_pass.sv, the portable form.

`default_nettype none
`include "espl_assert.svh"

module espl_add_pass #(
    parameter int unsigned Width = 24  // even
) (
    input  wire logic [Width-1:0] a_i,
    input  wire logic [Width-1:0] b_i,
    input  wire logic             pass_i,
    input  wire logic             second_i,
    output      logic [Width-1:0] sum_o
);

  `ESPL_STATIC(width_is_even, Width >= 4 && Width == 2 * (Width / 2))

  logic [Width/2-1:0] carry;  // none out of the last: place and route would spend a cell on it
  logic which;
  assign carry[0] = 1'b0;
  assign which    = second_i || !pass_i;

  for (genvar k = 0; k < Width / 2; k++) begin : gen_pair
    // {D, C}: 01 A ^ B, 10 A, 11 B; 00 is the LUT2, A & B
    if (k + 1 < Width / 2) begin : gen_carry
      CCU2C #(.INIT0(16'hCA68), .INIT1(16'hCA68), .INJECT1_0("NO"), .INJECT1_1("NO")) u_add (
          .CIN(carry[k]), .C0(which), .D0(pass_i), .C1(which), .D1(pass_i),
          .A0(a_i[2*k]), .B0(b_i[2*k]), .S0(sum_o[2*k]),
          .A1(a_i[2*k+1]), .B1(b_i[2*k+1]), .S1(sum_o[2*k+1]),
          .COUT(carry[k+1]));
    end else begin : gen_last
      CCU2C #(.INIT0(16'hCA68), .INIT1(16'hCA68), .INJECT1_0("NO"), .INJECT1_1("NO")) u_add (
          .CIN(carry[k]), .C0(which), .D0(pass_i), .C1(which), .D1(pass_i),
          .A0(a_i[2*k]), .B0(b_i[2*k]), .S0(sum_o[2*k]),
          .A1(a_i[2*k+1]), .B1(b_i[2*k+1]), .S1(sum_o[2*k+1]),
          .COUT());
    end
  end

endmodule

`default_nettype wire
