// espl_lane_pair: two lanes: multiply by the shared weight and accumulate.
// SPDX-License-Identifier: Apache-2.0
//
// Contract   first_i and valid_i belong to the operands given three cycles
//            earlier (they meet the products); first_i starts new sums.
// Latency    operands to sums 4 cycles.  Throughput 1.
// Cost       1 MULT18X18D, 2 * AccBits carry cells, 2 * AccBits flip-flops.

`default_nettype none

module espl_lane_pair (
    input  wire logic                         clk_i,
    input  wire logic                         signed_i,
    input  wire logic        [           7:0] a0_i,
    input  wire logic        [           7:0] a1_i,
    input  wire logic signed [           7:0] w_i,
    input  wire logic                         valid_i,
    input  wire logic                         first_i,
    output      logic [espl_pkg::AccBits-1:0] sum0_o,
    output      logic [espl_pkg::AccBits-1:0] sum1_o
);

  logic signed [16:0] product0, product1;

  espl_mul_pair u_mul (
      .clk_i,
      .signed_i,
      .a0_i,
      .a1_i,
      .w_i,
      .product0_o(product0),
      .product1_o(product1)
  );

  espl_accumulate u_sum0 (
      .clk_i,
      .enable_i(valid_i),
      .first_i,
      .term_i(product0),
      .sum_o(sum0_o)
  );
  espl_accumulate u_sum1 (
      .clk_i,
      .enable_i(valid_i),
      .first_i,
      .term_i(product1),
      .sum_o(sum1_o)
  );

endmodule

`default_nettype wire
