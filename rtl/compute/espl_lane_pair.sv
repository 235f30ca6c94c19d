// espl_lane_pair: two lanes: multiply, accumulate, copy out at the last cycle.
// SPDX-License-Identifier: Apache-2.0
//
// Contract   first_i, valid_i and last_i belong to the operands given three
//            cycles earlier (they meet the products). first_i starts new sums;
//            the cycle after last_i, drain0_o and drain1_o take the sums.
// Latency    operands to sums 4 cycles.  Throughput 1.
// Cost       1 MULT18X18D, 2 * AccBits carry cells, 4 * AccBits flip-flops.

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

  localparam int unsigned AccBits = espl_pkg::AccBits;

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

  always_ff @(posedge clk_i) begin : accumulate
    if (valid_i) begin
      sum0_o <= (first_i ? '0 : sum0_o) + {{(AccBits - 17) {product0[16]}}, product0};
      sum1_o <= (first_i ? '0 : sum1_o) + {{(AccBits - 17) {product1[16]}}, product1};
    end
  end

endmodule

`default_nettype wire
