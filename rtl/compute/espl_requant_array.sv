// espl_requant_array: the requantizers and the parameters that they share.
// SPDX-License-Identifier: Apache-2.0
//
// Computes   Requantizers bytes from as many sums, by the record last loaded:
//            a full record gives all of them one bias, multiplier, shift and
//            rounding; a bias record gives four of them a bias each.
// Contract   record_i with load_i and second_i in stage -1; sums_i in stage 0;
//            bytes_o, dest_o and mask_o in stage RequantLatency.
// Cost       Requantizers of espl_requant, about 600 flip-flops shared.

`default_nettype none

module espl_requant_array #(
    parameter int unsigned Requantizers = 16,
    parameter int unsigned Doubles = 0,  // the first ones, which have two multipliers
    parameter int unsigned Tables = 0,
    parameter TableFile = "",
    localparam int unsigned Latency = espl_pkg::RequantLatency,
    localparam int unsigned AccBits = espl_pkg::AccBits,
    localparam int unsigned AddrBits = espl_pkg::AddrBits,
    localparam int unsigned RoundBits = espl_pkg::RoundBits,
    localparam int unsigned MultiplierBits = espl_pkg::MultiplierBits,
    localparam int unsigned ProductBits = espl_pkg::ProductBits,
    localparam int unsigned TableBits = $clog2((Tables == 0 ? 1 : Tables) * 256)
) (
    input  wire logic                                 clk_i,
    input  wire logic                                 load_i,
    input  wire logic [                          2:0] quarter_i,
    input  wire logic [espl_pkg::ParamWordBits-1:0]   record_i,
    input  wire logic                                 second_i,
    input  wire logic [     AccBits*Requantizers-1:0] sums_i,
    input  wire logic                                 packed_i,
    input  wire logic [                          7:0] zero_i,
    input  wire logic [                          7:0] low_i,
    input  wire logic [                          7:0] high_i,
    input  wire logic                                 table_i,
    input  wire logic [                          3:0] table_select_i,
    input  wire logic                                 table_write_i,
    input  wire logic [                TableBits-1:0] table_address_i,
    input  wire logic [                          7:0] table_data_i,
    output      logic [           8*Requantizers-1:0] bytes_o,
    output      logic [                 AddrBits-1:0] dest_o,
    output      logic [                         15:0] mask_o
);

  logic [AccBits*Requantizers-1:0] bias_q;
  logic [MultiplierBits-1:0] multiplier0_q;
  logic [5:0] shift0_q, shift1_q, shift2_q, shift3_q, shift4_q, shift5_q, shift6_q, shift7_q;
  logic [2:0] fine8_q;
  logic [3:0] even0_q, even1_q, even2_q, even3_q, even4_q, even5_q, even6_q;
  logic even7_q, even8_q;
  logic [5:0] window6_q;
  logic signed [RoundBits-1:0] positive0_q, positive1_q, positive2_q, positive3_q;
  logic signed [RoundBits-1:0] negative0_q, negative1_q, negative2_q, negative3_q;
  logic signed [ProductBits-1:0] positive4_q, negative4_q, positive5_q, negative5_q, positive6_q, negative6_q;
  logic [ProductBits-1:0] above7_q, near7_q, half7_q;
  logic [5:0] second_q;
  logic [16+AddrBits-1:0] place0_q;
  logic [(16+AddrBits)*Latency-1:0] place_q;

  always_ff @(posedge clk_i) begin : load
    if (load_i) begin
      if (record_i[0]) begin
        for (int unsigned r = 0; r < Requantizers; r++) begin
          if (3'(r / 4) == quarter_i) bias_q[AccBits*r +: AccBits] <= record_i[1 + 24*(r%4) +: AccBits];
        end
      end else begin
        for (int unsigned r = 0; r < Requantizers; r++)
          bias_q[AccBits*r +: AccBits] <= record_i[1 +: AccBits];
        multiplier0_q <= record_i[25 +: MultiplierBits];
        shift0_q      <= record_i[25 + MultiplierBits +: 6];
        positive0_q   <= $signed(record_i[31 + MultiplierBits +: RoundBits]);
        negative0_q   <= $signed(record_i[31 + MultiplierBits + RoundBits +: RoundBits]);
        place0_q      <= record_i[31 + MultiplierBits + 2 * RoundBits +: 16 + AddrBits];
        even0_q       <= record_i[47 + MultiplierBits + 2 * RoundBits + AddrBits +: 4];
      end
    end
  end

  // the rounding terms are multiples of 2^(shift - (RoundBits - 1))
  logic [5:0] lift3_q;
  logic [2:0] lift4_q;

  always_ff @(posedge clk_i) begin : follow
    {shift7_q, shift6_q, shift5_q, shift4_q, shift3_q, shift2_q, shift1_q} <=
        {shift6_q, shift5_q, shift4_q, shift3_q, shift2_q, shift1_q, shift0_q};
    {even6_q, even5_q, even4_q, even3_q, even2_q, even1_q} <=
        {even5_q, even4_q, even3_q, even2_q, even1_q, even0_q};
    even7_q <= even6_q[2:0] != '0;
    window6_q <= shift5_q - 6'(espl_pkg::EvenFine) - 6'(even5_q[2:0]);
    fine8_q <= shift7_q[2:0];
    even8_q <= even7_q;
    {positive3_q, positive2_q, positive1_q} <= {positive2_q, positive1_q, positive0_q};
    {negative3_q, negative2_q, negative1_q} <= {negative2_q, negative1_q, negative0_q};
    lift3_q     <= shift2_q > 6'(RoundBits - 1) ? shift2_q - 6'(RoundBits - 1) : '0;
    lift4_q     <= lift3_q[2:0];
    positive4_q <= ProductBits'(positive3_q) <<< {lift3_q[5:3], 3'b0};
    negative4_q <= ProductBits'(negative3_q) <<< {lift3_q[5:3], 3'b0};
    positive5_q <= positive4_q <<< lift4_q;
    negative5_q <= negative4_q <<< lift4_q;
    positive6_q <= positive5_q;
    negative6_q <= negative5_q;
    for (int unsigned k = 0; k < ProductBits; k++) begin
      above7_q[k] <= 7'(k) >= 7'(shift6_q) + 7'd9;
      near7_q[k]  <= 6'(k) >= window6_q && 6'(k) < shift6_q;
      half7_q[k]  <= even6_q[3] && 6'(k) + 6'd1 == window6_q;
    end
    second_q <= {second_q[4:0], second_i};
    place_q  <= {place_q[(16+AddrBits)*(Latency-1)-1:0], place0_q};
  end

  assign {dest_o, mask_o} = place_q[(16+AddrBits)*(Latency-1) +: 16+AddrBits];

  for (genvar r = 0; r < Requantizers; r++) begin : gen_requant
    espl_requant #(
        .Tables(Tables),
        .Multipliers(r < Doubles ? 2 : 1),
        .TableFile(TableFile)
    ) u_requant (
        .clk_i,
        .sum_i(sums_i[AccBits*r +: AccBits]),
        .bias_i(bias_q[AccBits*r +: AccBits]),
        .packed_i,
        .second_i(second_q[0]),
        .multiplier_i(multiplier0_q),
        .second5_i(second_q[5]),
        .positive_i(positive6_q),
        .negative_i(negative6_q),
        .above_i(above7_q),
        .near_i(near7_q),
        .half_i(half7_q),
        .even_i(even8_q),
        .coarse_i(shift7_q[5:3]),
        .fine_i(fine8_q),
        .zero_i,
        .low_i,
        .high_i,
        .table_i,
        .table_select_i,
        .table_write_i,
        .table_address_i,
        .table_data_i,
        .byte_o(bytes_o[8*r +: 8])
    );
  end

endmodule

`default_nettype wire
