// espl_add_select: adds one of two numbers.
// SPDX-License-Identifier: Apache-2.0
//
// Computes   sum_o = a_i + (select_i ? b_i : c_i), modulo 2^Width.
// Latency    none: combinational.
// Cost       an adder and a multiplexer; on ECP5, with rtl/ecp5/espl_add_select.sv,
//            Width / 2 CCU2C and nothing else.

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

  assign sum_o = a_i + (select_i ? b_i : c_i);

endmodule

`default_nettype wire
