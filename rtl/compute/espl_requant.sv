// espl_requant: one accumulator a cycle to one byte, by an exact step function.
// SPDX-License-Identifier: Apache-2.0
//
// Computes   x = sum + bias (packed: byte `second` of sum, + bias)
//            a = x * multiplier (second: + that of the cycle before)
//            y = clamp(((a + (a < 0 ? negative : positive)) >> shift) + zero, low, high)
//            then y = table[y] when the layer has one.
// Contract   sum_i, bias_i, packed_i and second_i in stage 0; the others when they
//            are needed: multiplier_i 1, second3_i 3, roundings 4, shift_i 5, shift6_i 6.
// Latency    9 cycles.  Throughput 1.
// Cost       1 MULT18X18D, about 800 LUT4; a table is one block RAM.
// The same   lower/run.c

`default_nettype none

module espl_requant #(
    parameter int unsigned Tables = 0,  // tables of 256 bytes
    localparam int unsigned AccBits = espl_pkg::AccBits,
    localparam int unsigned TableDepth = (Tables == 0 ? 1 : Tables) * 256,
    localparam int unsigned TableBits = $clog2(TableDepth)
) (
    input  wire logic                      clk_i,
    input  wire logic        [AccBits-1:0] sum_i,
    input  wire logic        [AccBits-1:0] bias_i,
    input  wire logic                      packed_i,
    input  wire logic                      second_i,
    input  wire logic        [       27:0] multiplier_i,
    input  wire logic                      second3_i,
    input  wire logic signed [       52:0] positive_i,
    input  wire logic signed [       52:0] negative_i,
    input  wire logic        [        2:0] shift_coarse_i,  // of 8 bits each, stage 5
    input  wire logic        [        2:0] shift_fine_i,    // stage 6
    input  wire logic        [        7:0] zero_i,
    input  wire logic        [        7:0] low_i,
    input  wire logic        [        7:0] high_i,
    input  wire logic                      table_i,
    input  wire logic        [        3:0] table_select_i,
    input  wire logic                      table_write_i,
    input  wire logic      [TableBits-1:0] table_address_i,
    input  wire logic        [        7:0] table_data_i,
    output      logic        [        7:0] byte_o
);

  logic signed [AccBits-1:0] x_q;
  logic signed [52:0] product, previous_q, sum4_q, rounded_q, coarse_q, fine;
  logic signed [9:0] small_q;

  espl_mul_step u_mul (
      .clk_i,
      .x_i(x_q),
      .m_i(multiplier_i),
      .product_o(product)
  );

  assign fine = coarse_q >>> shift_fine_i;

  logic signed [10:0] level;
  assign level = small_q + $signed({3'b0, zero_i});

  logic [7:0] y_q, y9_q;

  always_ff @(posedge clk_i) begin : pipeline
    // stage 1
    if (packed_i) x_q <= {16'b0, second_i ? sum_i[15:8] : sum_i[7:0]} + bias_i;
    else x_q <= sum_i + bias_i;
    // stages 2 and 3: the multiplier. stage 4
    previous_q <= product;
    sum4_q     <= product + (second3_i ? previous_q : '0);
    // stage 5
    rounded_q  <= sum4_q + (sum4_q[52] ? negative_i : positive_i);
    // stage 6
    coarse_q   <= rounded_q >>> {shift_coarse_i, 3'b0};
    // stage 7: ten bits are enough to tell what saturates
    if (fine[52:9] == '0 || fine[52:9] == '1) small_q <= fine[9:0];
    else small_q <= {fine[52], {9{!fine[52]}}};
    // stage 8
    if (level < $signed({3'b0, low_i})) y_q <= low_i;
    else if (level > $signed({3'b0, high_i})) y_q <= high_i;
    else y_q <= level[7:0];
    // stage 9
    y9_q <= y_q;
  end

  if (Tables != 0) begin : gen_table
    logic [7:0] looked_up;
    espl_ram #(
        .Width(8),
        .Depth(TableDepth),
        .OutputRegister(0)
    ) u_table (
        .clk_i,
        .write_i(table_write_i),
        .write_address_i(table_address_i),
        .write_data_i(table_data_i),
        .read_address_i(TableBits'({table_select_i, y_q})),
        .read_data_o(looked_up)
    );
    assign byte_o = table_i ? looked_up : y9_q;
  end else begin : gen_none
    assign byte_o = y9_q;
    logic unused;
    assign unused = &{1'b0, table_i, table_select_i, table_write_i, table_address_i, table_data_i};
  end

endmodule

`default_nettype wire
