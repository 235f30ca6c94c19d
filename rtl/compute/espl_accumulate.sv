// espl_accumulate: a running sum that a flag starts anew.
// SPDX-License-Identifier: Apache-2.0
//
// Computes   sum = (first ? 0 : sum) + term, in cycles with enable_i.
// Latency    1 cycle.  Throughput 1.
// Cost       AccBits / 2 CCU2C and AccBits flip-flops on ECP5.

`default_nettype none

module espl_accumulate #(
    parameter int unsigned TermBits = 17,  // of the signed term, less than AccBits
    localparam int unsigned AccBits = espl_pkg::AccBits
) (
    input  wire logic                       clk_i,
    input  wire logic                       enable_i,
    input  wire logic                       first_i,
    input  wire logic signed [TermBits-1:0] term_i,
    output      logic        [ AccBits-1:0] sum_o
);

  logic [AccBits-1:0] sum;

  espl_add_select #(
      .Width(AccBits)
  ) u_add (
      .a_i({{(AccBits - TermBits) {term_i[TermBits-1]}}, term_i}),
      .b_i('0),
      .c_i(sum_o),
      .select_i(first_i),
      .sum_o(sum)
  );

  always_ff @(posedge clk_i) begin : accumulate
    if (enable_i) sum_o <= sum;
  end

endmodule

`default_nettype wire
