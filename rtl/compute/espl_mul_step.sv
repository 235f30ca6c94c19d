// espl_mul_step: 24 by 28 bits, signed by unsigned, with one 18x18 multiplier.
// SPDX-License-Identifier: Apache-2.0
//
// Computes   product_o = x_i * m_i, exact.
// How        x = xh * 2^17 + xl, m = mh * 2^17 + ml: xl * ml in the multiplier, the
//            rest as shifted additions in LUTs, so that the array keeps the DSPs.
// Latency    2 cycles.  Throughput 1.
// Cost       1 MULT18X18D, about 400 LUT4.

`default_nettype none

module espl_mul_step (
    input  wire logic               clk_i,
    input  wire logic signed [23:0] x_i,
    input  wire logic        [27:0] m_i,
    output      logic signed [52:0] product_o
);

  logic [33:0] low_q;            // xl * ml
  logic [27:0] middle, middle_q; // xl * mh, 17 by 11 bits
  logic signed [34:0] high, high_q;  // xh * m, 7 by 28 bits

  always_comb begin : rows
    middle = '0;
    for (int unsigned k = 0; k < 11; k++) begin
      if (m_i[17+k]) middle = middle + (28'(x_i[16:0]) << k);
    end
    high = x_i[23] ? -($signed({7'b0, m_i}) <<< 6) : '0;
    for (int unsigned k = 0; k < 6; k++) begin
      if (x_i[17+k]) high = high + ($signed({7'b0, m_i}) <<< k);
    end
  end

  always_ff @(posedge clk_i) begin : pipeline
    low_q     <= x_i[16:0] * m_i[16:0];
    middle_q  <= middle;
    high_q    <= high;
    product_o <= $signed({19'b0, low_q}) + $signed({8'b0, middle_q, 17'b0})
                 + {high_q[34], high_q, 17'b0};
  end

endmodule

`default_nettype wire
