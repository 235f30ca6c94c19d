// espl_mul_step: 24 by 28 bits, signed by unsigned, with one or two 18x18 multipliers.
// SPDX-License-Identifier: Apache-2.0
//
// Computes   product_o = x_i * m_i, exact.
// How        x = xh * 2^6 + xl with xh signed, m = mh * 2^17 + ml: xh * ml in the
//            multiplier, xl * m as sums of rows in LUTs, so that the array keeps the
//            DSPs; xh * mh in a second one, or as sums of rows too.
// Latency    4 cycles.  Throughput 1.
// Cost       1 MULT18X18D and about 210 CCU2C, or 2 and about 110.

`default_nettype none
`include "espl_assert.svh"

module espl_mul_step #(
    parameter int unsigned Multipliers = 1  // or 2
) (
    input  wire logic               clk_i,
    input  wire logic signed [23:0] x_i,
    input  wire logic        [27:0] m_i,
    output      logic signed [51:0] product_o
);

  `ESPL_STATIC(one_or_two, Multipliers == 1 || Multipliers == 2)

  logic signed [17:0] xh;
  logic signed [28:0] m;
  logic        [10:0] mh;
  assign xh = x_i[23:6];
  assign mh = m_i[27:17];
  assign m  = $signed({1'b0, m_i});

  // cycle 1: the multiplier's operands, rows by threes.  cycle 2: xh * ml, rows by sixes
  logic signed [31:0] low_a, low_b;  // xl * m
  espl_row_sum #(.ValueBits(29), .FactorBits(3)) u_low_a (
      .value_i(m), .factor_i(x_i[2:0]), .product_o(low_a));
  espl_row_sum #(.ValueBits(29), .FactorBits(3)) u_low_b (
      .value_i(m), .factor_i(x_i[5:3]), .product_o(low_b));

  logic signed [35:0] core;
  espl_mul_signed u_core (
      .clk_i,
      .a_i(xh),
      .b_i($signed({1'b0, m_i[16:0]})),
      .product_o(core)
  );

  logic signed [31:0] low_a_q, low_b_q;
  logic signed [34:0] low_q;
  // cycle 3
  logic signed [35:0] rest_q;  // xh * ml + (xl * m) / 2^6
  logic        [ 5:0] settled_q;
  logic signed [28:0] high_q;  // xh * mh

  if (Multipliers == 2) begin : gen_multiplier
    logic signed [35:0] high;
    espl_mul_signed u_high (
        .clk_i,
        .a_i(xh),
        .b_i($signed({7'b0, mh})),
        .product_o(high)
    );
    always_ff @(posedge clk_i) high_q <= high[28:0];
    logic unused_high;
    assign unused_high = &{1'b0, high[35:29]};
  end else begin : gen_rows
    logic signed [20:0] high_a, high_b, high_c, high_a_q, high_b_q, high_c_q;
    logic signed [19:0] high_d, high_d_q;
    logic signed [24:0] high_ab_q;
    logic signed [23:0] high_cd_q;
    espl_row_sum #(.ValueBits(18), .FactorBits(3)) u_high_a (
        .value_i(xh), .factor_i(mh[2:0]), .product_o(high_a));
    espl_row_sum #(.ValueBits(18), .FactorBits(3)) u_high_b (
        .value_i(xh), .factor_i(mh[5:3]), .product_o(high_b));
    espl_row_sum #(.ValueBits(18), .FactorBits(3)) u_high_c (
        .value_i(xh), .factor_i(mh[8:6]), .product_o(high_c));
    espl_row_sum #(.ValueBits(18), .FactorBits(2)) u_high_d (
        .value_i(xh), .factor_i(mh[10:9]), .product_o(high_d));
    always_ff @(posedge clk_i) begin : rows
      high_a_q  <= high_a;
      high_b_q  <= high_b;
      high_c_q  <= high_c;
      high_d_q  <= high_d;
      high_ab_q <= 25'(high_a_q) + {high_b_q[20], high_b_q, 3'b0};
      high_cd_q <= 24'(high_c_q) + {high_d_q[19], high_d_q, 3'b0};
      high_q    <= 29'(high_ab_q) + {high_cd_q[22:0], 6'b0};
    end
    logic unused_high;
    assign unused_high = &{1'b0, high_cd_q[23]};
  end

  always_ff @(posedge clk_i) begin : pipeline
    low_a_q   <= low_a;
    low_b_q   <= low_b;
    low_q     <= 35'(low_a_q) + {low_b_q, 3'b0};
    rest_q    <= core + 36'($signed(low_q[34:6]));
    settled_q <= low_q[5:0];
    product_o <= {29'(rest_q >>> 17) + high_q, rest_q[16:0], settled_q};
  end

endmodule

`default_nettype wire
