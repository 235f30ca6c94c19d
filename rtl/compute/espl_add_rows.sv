// espl_add_rows: adds two numbers, each of which a bit lets through.
// SPDX-License-Identifier: Apache-2.0
//
// Computes   sum_o = (a_on_i ? a_i : 0) + (b_on_i ? b_i : 0), modulo 2^Width.
// Latency    none: combinational.
// Cost       an adder and its gates; on ECP5, with rtl/ecp5/espl_add_rows.sv,
//            Width / 2 CCU2C and nothing else.

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

  assign sum_o = (a_i & {Width{a_on_i}}) + (b_i & {Width{b_on_i}});

endmodule

`default_nettype wire
