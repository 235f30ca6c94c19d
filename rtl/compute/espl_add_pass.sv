// espl_add_pass: adds two numbers, or lets one of them through.
// SPDX-License-Identifier: Apache-2.0
//
// Computes   sum_o = pass_i ? (second_i ? b_i : a_i) : a_i + b_i, modulo 2^Width.
// Latency    none: combinational.
// Cost       an adder and a multiplexer; on ECP5, with rtl/ecp5/espl_add_pass.sv,
//            Width / 2 CCU2C and nothing else.

`default_nettype none

module espl_add_pass #(
    parameter int unsigned Width = 24
) (
    input  wire logic [Width-1:0] a_i,
    input  wire logic [Width-1:0] b_i,
    input  wire logic             pass_i,
    input  wire logic             second_i,
    output      logic [Width-1:0] sum_o
);

  assign sum_o = pass_i ? (second_i ? b_i : a_i) : a_i + b_i;

endmodule

`default_nettype wire
