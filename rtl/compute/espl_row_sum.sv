// espl_row_sum: a number times a factor of a few bits, as a sum of rows.
// SPDX-License-Identifier: Apache-2.0
//
// Computes   product_o = value_i * factor_i, value_i signed, factor_i unsigned.
// Latency    none: combinational, FactorBits - 1 adders in a chain.
// Cost       (FactorBits - 1) * ValueBits / 2 CCU2C on ECP5.

`default_nettype none

module espl_row_sum #(
    parameter int unsigned ValueBits = 18,
    parameter int unsigned FactorBits = 3,  // at least 2
    localparam int unsigned ProductBits = ValueBits + FactorBits
) (
    input  wire logic signed [  ValueBits-1:0] value_i,
    input  wire logic        [ FactorBits-1:0] factor_i,
    output      logic signed [ProductBits-1:0] product_o
);

`ifdef SYNTHESIS
  logic [ProductBits-1:0] value;
  logic [ProductBits*(FactorBits-1)-1:0] sums;  // after row k + 1: the first two are one step
  assign value     = {{FactorBits{value_i[ValueBits-1]}}, value_i};
  assign product_o = sums[ProductBits*(FactorBits-2) +: ProductBits];
  espl_add_rows #(
      .Width(ProductBits)
  ) u_add (
      .a_i(value),
      .a_on_i(factor_i[0]),
      .b_i({value[ProductBits-2:0], 1'b0}),
      .b_on_i(factor_i[1]),
      .sum_o(sums[ProductBits-1:0])
  );
  for (genvar k = 2; k < FactorBits; k++) begin : gen_row
    // the low k bits are settled already
    assign sums[ProductBits*(k-1) +: k] = sums[ProductBits*(k-2) +: k];
    espl_add_select #(
        .Width(ProductBits - k)
    ) u_add (
        .a_i(sums[ProductBits*(k-2)+k +: ProductBits-k]),
        .b_i(value[ProductBits-k-1:0]),
        .c_i('0),
        .select_i(factor_i[k]),
        .sum_o(sums[ProductBits*(k-1)+k +: ProductBits-k])
    );
  end
`else
  assign product_o = value_i * $signed({{ValueBits{1'b0}}, factor_i});
`endif

endmodule

`default_nettype wire
