// espl_mul_step: 24 by 28 bits, signed by unsigned, with one 18x18 multiplier.
// SPDX-License-Identifier: Apache-2.0
//
// Computes   product_o = x_i * m_i, exact.
// How        x = xh * 2^6 + xl with xh signed, m = mh * 2^17 + ml: xh * ml in the
//            multiplier, xl * m and xh * mh as sums of rows in LUTs, so that the array
//            keeps the DSPs.
// Latency    4 cycles.  Throughput 1.
// Cost       1 MULT18X18D, about 180 CCU2C and 130 LUT4.

`default_nettype none

module espl_mul_step (
    input  wire logic               clk_i,
    input  wire logic signed [23:0] x_i,
    input  wire logic        [27:0] m_i,
    output      logic signed [51:0] product_o
);

  logic signed [17:0] xh;
  logic signed [28:0] m;
  logic        [10:0] mh;
  assign xh = x_i[23:6];
  assign mh = m_i[27:17];
  assign m  = $signed({1'b0, m_i});

  // cycle 1: rows by threes
  logic signed [20:0] high_a, high_b, high_c;  // xh * mh
  logic signed [19:0] high_d;
  logic signed [31:0] low_a, low_b;            // xl * m
  espl_row_sum #(.ValueBits(18), .FactorBits(3)) u_high_a (.value_i(xh), .factor_i(mh[2:0]), .product_o(high_a));
  espl_row_sum #(.ValueBits(18), .FactorBits(3)) u_high_b (.value_i(xh), .factor_i(mh[5:3]), .product_o(high_b));
  espl_row_sum #(.ValueBits(18), .FactorBits(3)) u_high_c (.value_i(xh), .factor_i(mh[8:6]), .product_o(high_c));
  espl_row_sum #(.ValueBits(18), .FactorBits(2)) u_high_d (.value_i(xh), .factor_i(mh[10:9]), .product_o(high_d));
  espl_row_sum #(.ValueBits(29), .FactorBits(3)) u_low_a (
      .value_i(m), .factor_i(x_i[2:0]), .product_o(low_a));
  espl_row_sum #(.ValueBits(29), .FactorBits(3)) u_low_b (
      .value_i(m), .factor_i(x_i[5:3]), .product_o(low_b));

  logic signed [17:0] xh_q, ml_q;
  logic signed [20:0] high_a_q, high_b_q, high_c_q;
  logic signed [19:0] high_d_q;
  logic signed [31:0] low_a_q, low_b_q;
  // cycle 2: xh * ml, rows by sixes
  logic signed [34:0] core_q, low_q;
  logic signed [24:0] high_ab_q;
  logic signed [23:0] high_cd_q;
  // cycle 3
  logic signed [35:0] rest_q;  // xh * ml + (xl * m) / 2^6
  logic        [ 5:0] settled_q;
  logic signed [28:0] high_q;

  always_ff @(posedge clk_i) begin : pipeline
    xh_q      <= xh;
    ml_q      <= $signed({1'b0, m_i[16:0]});
    high_a_q  <= high_a;
    high_b_q  <= high_b;
    high_c_q  <= high_c;
    high_d_q  <= high_d;
    low_a_q   <= low_a;
    low_b_q   <= low_b;

    core_q    <= 35'(xh_q * ml_q);
    high_ab_q <= 25'(high_a_q) + {high_b_q[20], high_b_q, 3'b0};
    high_cd_q <= 24'(high_c_q) + {high_d_q[19], high_d_q, 3'b0};
    low_q     <= 35'(low_a_q) + {low_b_q, 3'b0};

    rest_q    <= 36'(core_q) + 36'($signed(low_q[34:6]));
    settled_q <= low_q[5:0];
    high_q    <= 29'(high_ab_q) + {high_cd_q[22:0], 6'b0};

    product_o <= {29'(rest_q >>> 17) + high_q, rest_q[16:0], settled_q};
  end

  logic unused;
  assign unused = &{1'b0, high_cd_q[23]};

endmodule

`default_nettype wire
