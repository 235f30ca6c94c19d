// tree_top: espl_tree inside, since Verilator takes no recursive module as its top.
// SPDX-License-Identifier: Apache-2.0

`default_nettype none

module tree_top #(
    parameter int unsigned Inputs = 2,
    parameter int unsigned Count = 3,
    localparam int unsigned Vector = espl_pkg::AccBits * Count,
    localparam int unsigned IndexBits = espl_pkg::index_bits(Inputs)
) (
    input  wire logic                     clk_i,
    input  wire logic [Inputs*Vector-1:0] terms_i,
    input  wire logic                     pass_i,
    input  wire logic [IndexBits-1:0]     index_i,
    output      logic [Vector-1:0]        sum_o
);

  espl_tree #(
      .Inputs(Inputs),
      .Count(Count)
  ) u_tree (
      .clk_i,
      .terms_i,
      .pass_i,
      .index_i,
      .sum_o
  );

endmodule

`default_nettype wire
