// espl_requant: one accumulator a cycle to one byte, by an exact step function.
// SPDX-License-Identifier: Apache-2.0
//
// Computes   x = sum + bias (packed: byte `second` of sum, + bias)
//            a = x * multiplier (second: + that of the cycle before)
//            y = clamp(((a + (a < 0 ? negative : positive)) >> shift) + zero, low, high),
//            of which >> shift loses its lowest bit when even_i and none of near_i's bits
//            is set before it (half_i's neither when a < 0)
//            then y = table[y] when the layer has one.
// Contract   sum_i, bias_i, packed_i, second_i and multiplier_i in stage 0; the others
//            when they are needed: second5_i 5, roundings 6, above_i, near_i, half_i and coarse_i 7,
//            fine_i and even_i 8, table_select_i 10.
// Latency    11 cycles.  Throughput 1.
// Cost       1 MULT18X18D and about 1100 LUT4, or 2 and 900; a table is one block RAM.
// The same   lower/run.c

`default_nettype none

(* keep_hierarchy *)
module espl_requant #(
    parameter int unsigned Tables = 0,       // tables of 256 bytes
    parameter int unsigned Multipliers = 1,  // of 18 by 18 bits, 1 or 2
    parameter TableFile = "",
    localparam int unsigned AccBits = espl_pkg::AccBits,
    localparam int unsigned ProductBits = espl_pkg::ProductBits,
    localparam int unsigned TableDepth = (Tables == 0 ? 1 : Tables) * 256,
    localparam int unsigned TableBits = $clog2(TableDepth)
) (
    input  wire logic                            clk_i,
    input  wire logic        [    AccBits-1:0]   sum_i,
    input  wire logic        [    AccBits-1:0]   bias_i,
    input  wire logic                            packed_i,
    input  wire logic                            second_i,
    input  wire logic        [           27:0]   multiplier_i,
    input  wire logic                            second5_i,
    input  wire logic signed [ProductBits-1:0]   positive_i,
    input  wire logic signed [ProductBits-1:0]   negative_i,
    input  wire logic        [ProductBits-1:0]   above_i,   // bits from shift + 9 on
    input  wire logic        [ProductBits-1:0]   near_i,    // bits of the window's rest
    input  wire logic        [ProductBits-1:0]   half_i,    // and one more where a < 0
    input  wire logic                            even_i,
    input  wire logic        [            2:0]   coarse_i,  // shift / 8
    input  wire logic        [            2:0]   fine_i,    // shift % 8
    input  wire logic        [            7:0]   zero_i,
    input  wire logic        [            7:0]   low_i,
    input  wire logic        [            7:0]   high_i,
    input  wire logic                            table_i,
    input  wire logic        [            3:0]   table_select_i,
    input  wire logic                            table_write_i,
    input  wire logic      [  TableBits-1:0]     table_address_i,
    input  wire logic        [            7:0]   table_data_i,
    output      logic        [            7:0]   byte_o
);

  localparam int unsigned Groups = (ProductBits + 3) / 4;

  // stage 1: the low byte is the first or the second one of a packed sum
  logic [AccBits-1:0] x;
  logic signed [AccBits-1:0] x_q;
  logic [27:0] multiplier_q;
  logic take_second;
  assign take_second = packed_i && second_i;
  espl_add_select #(
      .Width(AccBits)
  ) u_x (
      .a_i(bias_i),
      .b_i({16'b0, take_second ? sum_i[15:8] : sum_i[7:0]}),
      .c_i(sum_i),
      .select_i(packed_i),
      .sum_o(x)
  );

  // stages 2 to 5
  logic signed [51:0] short_product;
  logic signed [ProductBits-1:0] product;
  espl_mul_step #(
      .Multipliers(Multipliers)
  ) u_mul (
      .clk_i,
      .x_i(x_q),
      .m_i(multiplier_q),
      .product_o(short_product)
  );
  assign product = ProductBits'(short_product);

  // stages 6 and 7: both products, rounding
  logic [ProductBits-1:0] previous_q, sum, sum6_q, rounded, rounded_q;
  espl_add_select #(
      .Width(ProductBits)
  ) u_sum (
      .a_i(product),
      .b_i(previous_q),
      .c_i('0),
      .select_i(second5_i),
      .sum_o(sum)
  );
  espl_add_select #(
      .Width(ProductBits)
  ) u_round (
      .a_i(sum6_q),
      .b_i(negative_i),
      .c_i(positive_i),
      .select_i(sum6_q[ProductBits-1]),
      .sum_o(rounded)
  );

  // stages 8 and 9: ten bits are kept, and the bits above them must equal the sign
  logic [Groups-1:0] differs, differs_q, far, far_q;
  logic negative_q;
  logic [16:0] coarse_q;
  logic [9:0] fine, small_q;
  logic sign8_q;
  always_comb begin : check
    differs = '0;
    far     = '0;
    for (int unsigned k = 0; k < ProductBits; k++) begin
      if (above_i[k] && rounded_q[k] != rounded_q[ProductBits-1]) differs[k/4] = 1'b1;
      if (rounded_q[k] && (near_i[k] || (half_i[k] && negative_q))) far[k/4] = 1'b1;
    end
  end
  always_comb begin : settle
    fine = 10'(coarse_q >> fine_i);
    if (even_i && far_q == '0) fine[0] = 1'b0;
  end

  // stages 10 and 11
  logic signed [10:0] level;
  logic [7:0] y_q, y11_q;
  assign level = $signed({small_q[9], small_q}) + $signed({3'b0, zero_i});

  always_ff @(posedge clk_i) begin : pipeline
    x_q          <= $signed(x);
    multiplier_q <= multiplier_i;
    previous_q   <= product;
    sum6_q       <= sum;
    rounded_q    <= rounded;
    negative_q   <= sum6_q[ProductBits-1];
    differs_q    <= differs;
    far_q        <= far;
    sign8_q      <= rounded_q[ProductBits-1];
    coarse_q     <= 17'($signed(rounded_q) >>> {coarse_i, 3'b0});
    small_q      <= differs_q != '0 ? {sign8_q, {9{!sign8_q}}} : fine;
    if (level < $signed({3'b0, low_i})) y_q <= low_i;
    else if (level > $signed({3'b0, high_i})) y_q <= high_i;
    else y_q <= level[7:0];
    y11_q        <= y_q;
  end

  if (Tables != 0) begin : gen_table
    logic [7:0] looked_up;
    espl_ram #(
        .Width(8),
        .Depth(TableDepth),
        .OutputRegister(0),
        .InitFile(TableFile)
    ) u_table (
        .clk_i,
        .write_i(table_write_i),
        .write_address_i(table_address_i),
        .write_data_i(table_data_i),
        .read_address_i(TableBits'({table_select_i, y_q})),
        .read_data_o(looked_up)
    );
    assign byte_o = table_i ? looked_up : y11_q;
  end else begin : gen_none
    assign byte_o = y11_q;
    logic unused;
    assign unused = &{1'b0, table_i, table_select_i, table_write_i, table_address_i, table_data_i};
  end

endmodule

`default_nettype wire
