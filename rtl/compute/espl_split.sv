// espl_split: one split: its memories, its lanes, its share of the drain.
// SPDX-License-Identifier: Apache-2.0
//
// Computes   each issued cycle, for each lane l, sum[l] += weight * operand[l];
//            the weight comes from the narrow memory, the operands are Lanes
//            neighbouring bytes of the wide memory at the tap's offset from the
//            block's position.
// Contract   the issue bundle arrives with narrow_address_i in stage 0 and the
//            rest in stage StageAddress - 1 (docs/engine.md, "Pipeline"). Nothing
//            stalls. A write to the wide memory never meets a read of it.
// Latency    18 cycles from narrow_address_i to the drain registers.
// Cost       Lanes / 2 multipliers; 2 * ceil(Lanes * 8 / 36) * ceil(WideDepth / 1024)
//            block RAMs for the wide memory, and those of narrow and taps.
//
//   stage  0 address   1 hop   2,3 narrow   4,5 tap   6 word   7 banks, limits
//          (3 a plain word's weight and tap are chosen)
//          8,9 wide   10 merge   11,12 rotate   13 mask, max   14..16 multiply
//         17 accumulate   18 drain

`default_nettype none
`include "espl_assert.svh"

(* keep_hierarchy *)
module espl_split #(
    parameter int unsigned Lanes = 16,
    parameter int unsigned Requantizers = 16,
    parameter int unsigned WideDepth = 1024,   // words of Lanes bytes, even
    parameter int unsigned WideExtra = 0,      // more words, for dense layers' weights only
    parameter int unsigned NarrowDepth = 2048, // entries
    parameter int unsigned TapDepth = 512,     // taps, at most 4096
    parameter int unsigned PadMax = 2,         // columns of padding at most, 1..7
    parameter int unsigned MaxPool = 1,        // 0 leaves the comparators out
    parameter WideEvenFile = "",
    parameter WideOddFile = "",
    parameter WideExtraFile = "",
    parameter NarrowFile = "",
    parameter TapFile = "",
    localparam int unsigned TapBits = espl_pkg::index_bits(TapDepth),
    localparam int unsigned EntryBits = 8 + TapBits,
    localparam int unsigned AccBits = espl_pkg::AccBits,
    localparam int unsigned AddrBits = espl_pkg::AddrBits,
    localparam int unsigned BankBits = espl_pkg::index_bits(WideDepth / 2),
    localparam int unsigned NarrowAddressBits = espl_pkg::index_bits(NarrowDepth)
) (
    input wire logic clk_i,

    // issue, stage 0
    input wire logic [NarrowAddressBits-1:0] narrow_address_i,
    input wire logic                         plain_i,  // the word is two weights,
    input wire logic                         odd_i,    // the second one is meant,
    input wire logic [TapBits-1:0]           tap_i,    // and this is its tap
    // issue, stage StageAddress - 1
    input wire logic                      valid_i,
    input wire logic                      first_i,
    input wire logic                      last_i,
    input wire logic [AddrBits-1:0]       base_i,         // wide word of the block, before taps
    input wire logic [AddrBits-1:0]       address_i,      // the block's number in its plane
    input wire logic [2*PadMax*Lanes-1:0] column_masks_i, // {right 1..PadMax, left 1..PadMax}
    // the layer, constant while anything of it is in flight
    input wire logic                      dense_i,
    input wire logic                      max_i,
    input wire logic [7:0]                pad_i,
    input wire logic [19:0]               limit0_i,       // bytes of a plane: rows * pitch
    input wire logic [19:0]               limit1_i,

    // drain: a cycle before the drain registers are read
    input  wire logic                            drain_gate_i,  // this split is read
    input  wire logic                            drain_shift_i, // then the next chunk of lanes
    output      logic [AccBits*Requantizers-1:0] drain_o,

    // writes, registered here before they reach the memories
    input wire logic                         wide_write_i,
    input wire logic                         extra_write_i,  // instead, to the extra words
    input wire logic [Lanes-1:0]             wide_enable_even_i,
    input wire logic [Lanes-1:0]             wide_enable_odd_i,
    input wire logic [BankBits-1:0]          wide_even_address_i,
    input wire logic [BankBits-1:0]          wide_odd_address_i,
    input wire logic [8*Lanes-1:0]           wide_data_i,
    input wire logic                         narrow_write_i,
    input wire logic [NarrowAddressBits-1:0] narrow_write_address_i,
    input wire logic [EntryBits-1:0]         narrow_data_i,
    input wire logic                         tap_write_i,
    input wire logic [TapBits-1:0]           tap_write_address_i,
    input wire logic [espl_pkg::TapWordBits-1:0] tap_data_i
);

  localparam int unsigned ShiftBits = espl_pkg::index_bits(Lanes);
  localparam int unsigned RelBits = espl_pkg::RelBits;
  localparam int unsigned SlotBits = espl_pkg::SlotBits;
  localparam int unsigned PosBits = 23;  // signed position in a plane, bytes

  `ESPL_STATIC(lanes_are_a_power_of_two, Lanes == 2 ** ShiftBits && Lanes >= 2)
  `ESPL_STATIC(requantizers_divide_lanes, Lanes == Requantizers * (Lanes / Requantizers))

  // the hop of the writes
  logic [Lanes-1:0] write_even_q, write_odd_q;
  logic [BankBits-1:0] write_even_address_q, write_odd_address_q;
  logic [8*Lanes-1:0] write_data_q;
  logic narrow_write_q;
  logic [NarrowAddressBits-1:0] narrow_write_address_q;
  logic [EntryBits-1:0] narrow_data_q;
  logic tap_write_q;
  logic [TapBits-1:0] tap_write_address_q;
  logic [espl_pkg::TapWordBits-1:0] tap_data_q;
  // what holds for a layer, and the drain's controls
  logic dense_q, max_q, gate_q, drain_shift_q;
  logic [7:0] pad_q;
  logic [19:0] limit0_q, limit1_q;
  always_ff @(posedge clk_i) begin : hop
    dense_q                <= dense_i;
    max_q                  <= max_i;
    pad_q                  <= pad_i;
    limit0_q               <= limit0_i;
    limit1_q               <= limit1_i;
    gate_q                 <= drain_gate_i;
    drain_shift_q          <= drain_shift_i;
    tap_write_q            <= tap_write_i;
    tap_write_address_q    <= tap_write_address_i;
    tap_data_q             <= tap_data_i;
    write_even_q           <= wide_enable_even_i & {Lanes{wide_write_i}};
    write_odd_q            <= wide_enable_odd_i & {Lanes{wide_write_i}};
    write_even_address_q   <= wide_even_address_i;
    write_odd_address_q    <= wide_odd_address_i;
    write_data_q           <= wide_data_i;
    narrow_write_q         <= narrow_write_i;
    narrow_write_address_q <= narrow_write_address_i;
    narrow_data_q          <= narrow_data_i;
  end

  // stages 1 to 5: narrow entry or word, then tap
  logic [NarrowAddressBits-1:0] narrow_address_q;
  logic [EntryBits-1:0] entry;
  logic [espl_pkg::TapWordBits-1:0] tap;
  logic [2:0] plain_q, odd_q;
  logic [3*TapBits-1:0] plain_tap_q;

  always_ff @(posedge clk_i) begin : hop_narrow
    narrow_address_q <= narrow_address_i;
    plain_q          <= {plain_q[1:0], plain_i};
    odd_q            <= {odd_q[1:0], odd_i};
    plain_tap_q      <= {plain_tap_q[2*TapBits-1:0], tap_i};
  end

  logic [7:0] weight;
  logic [TapBits-1:0] tap_address;
  if (EntryBits >= 16) begin : gen_plain
    assign weight = plain_q[2] && odd_q[2] ? entry[15:8] : entry[7:0];
  end else begin : gen_entries
    assign weight = entry[7:0];
    logic unused_odd;
    assign unused_odd = odd_q[2];
  end
  assign tap_address = plain_q[2] ? plain_tap_q[2*TapBits +: TapBits] : entry[8 +: TapBits];

  espl_ram #(
      .Width(EntryBits),
      .Depth(NarrowDepth),
      .InitFile(NarrowFile)
  ) u_narrow (
      .clk_i,
      .write_i(narrow_write_q),
      .write_address_i(narrow_write_address_q),
      .write_data_i(narrow_data_q),
      .read_address_i(narrow_address_q),
      .read_data_o(entry)
  );

  espl_ram #(
      .Width(espl_pkg::TapWordBits),
      .Depth(TapDepth),
      .InitFile(TapFile)
  ) u_tap (
      .clk_i,
      .write_i(tap_write_q),
      .write_address_i(tap_write_address_q),
      .write_data_i(tap_data_q),
      .read_address_i(tap_address),
      .read_data_o(tap)
  );

  // the weight waits for its operands: from stage 3 to stage 13
  localparam int unsigned WeightDelay = 10;
  logic [8*WeightDelay-1:0] weight_q;
  always_ff @(posedge clk_i) weight_q <= {weight_q[8*WeightDelay-9:0], weight};

  // control from stage 5 on; index k is stage 5 + k
  localparam int unsigned ControlDelay = 13;
  logic [ControlDelay-1:0] valid_q, last_q;
  logic [ControlDelay-2:0] first_q;
  logic [AddrBits-1:0] base_q, address_q;
  logic [2*PadMax*Lanes-1:0] column_masks_q;

  always_ff @(posedge clk_i) begin : control
    valid_q <= {valid_q[ControlDelay-2:0], valid_i};
    first_q <= {first_q[ControlDelay-3:0], first_i};
    last_q  <= {last_q[ControlDelay-2:0], last_i};
    base_q         <= base_i;
    address_q      <= address_i;
    column_masks_q <= column_masks_i;
  end

  // stage 6: the word, the shift within it, the position in the plane, column masks
  logic signed [RelBits-1:0] rel;
  logic [SlotBits-1:0] slot;
  logic [2:0] left, right;
  logic [AddrBits-1:0] word_q;
  logic [ShiftBits-1:0] shift6_q;
  logic signed [PosBits-1:0] position_q;
  logic [19:0] limit_q;
  logic [Lanes-1:0] columns6_q;

  assign slot  = tap[0 +: SlotBits];
  assign rel   = tap[SlotBits +: RelBits];
  assign left  = tap[SlotBits + RelBits +: 3];
  assign right = tap[SlotBits + RelBits + 3 +: 3];

  logic [Lanes-1:0] left_mask, right_mask;
  always_comb begin : pick_masks
    left_mask  = '1;
    right_mask = '1;
    for (int unsigned d = 1; d <= PadMax; d++) begin
      if (left == 3'(d)) left_mask = column_masks_q[(d-1)*Lanes +: Lanes];
      if (right == 3'(d)) right_mask = column_masks_q[(PadMax+d-1)*Lanes +: Lanes];
    end
  end

  logic [AddrBits-1:0] slot_word, rel_words;
  assign slot_word = AddrBits'(slot);
  assign rel_words = {{(AddrBits - RelBits + ShiftBits) {rel[RelBits-1]}}, rel[RelBits-1:ShiftBits]};

  always_ff @(posedge clk_i) begin : stage6
    if (dense_q) begin
      word_q   <= base_q;
      shift6_q <= '0;
    end else begin
      word_q   <= base_q + slot_word + rel_words;
      shift6_q <= rel[ShiftBits-1:0];
    end
    position_q <= $signed({{(PosBits - AddrBits - ShiftBits) {1'b0}}, address_q, {ShiftBits{1'b0}}})
                  + {{(PosBits - RelBits) {rel[RelBits-1]}}, rel};
    limit_q    <= tap[SlotBits + RelBits + 6] ? limit1_q : limit0_q;
    columns6_q <= left_mask & right_mask;
  end

  // stage 7: addresses of both banks; room up to the plane's end
  logic [BankBits-1:0] even_address_q, odd_address_q;
  logic odd7_q;
  logic [ShiftBits-1:0] shift7_q;
  logic signed [PosBits-1:0] position7_q, room_q;
  logic [Lanes-1:0] columns7_q;
  logic [AddrBits-1:0] next_word;
  assign next_word = word_q + 1'b1;

  always_ff @(posedge clk_i) begin : stage7
    even_address_q <= word_q[0] ? next_word[BankBits:1] : word_q[BankBits:1];
    odd_address_q  <= word_q[BankBits:1];
    odd7_q         <= word_q[0];
    shift7_q       <= shift6_q;
    position7_q    <= position_q;
    room_q         <= $signed(PosBits'(limit_q)) - position_q;
    columns7_q     <= columns6_q;
  end

  // stage 8: lanes inside the plane. Position p lies before it in lanes l < -p, and after its
  // end in lanes l >= room.
  logic near_start, all_started, near_end, far_from_end;
  logic [Lanes-1:0] started, ended;
  assign all_started  = !position7_q[PosBits-1];
  assign near_start   = position7_q[PosBits-1:ShiftBits] == '1;
  assign far_from_end = !room_q[PosBits-1] && room_q[PosBits-2:ShiftBits] != '0;
  assign near_end     = room_q[PosBits-1:ShiftBits] == '0;
  always_comb begin : limits
    for (int unsigned l = 0; l < Lanes; l++) begin
      started[l] = all_started
                   || (near_start && {1'b0, position7_q[ShiftBits-1:0]} + (ShiftBits+1)'(l) >= (ShiftBits+1)'(Lanes));
      ended[l]   = !far_from_end && !(near_end && room_q[ShiftBits-1:0] > ShiftBits'(l));
    end
  end

  // stages 8 and 9: the wide memory
  logic [8*Lanes-1:0] even, odd;

  espl_ram #(
      .Width(8 * Lanes),
      .EnableWidth(8),
      .Depth(WideDepth / 2),
      .InitFile(WideEvenFile)
  ) u_even (
      .clk_i,
      .write_i(write_even_q),
      .write_address_i(write_even_address_q),
      .write_data_i(write_data_q),
      .read_address_i(even_address_q),
      .read_data_o(even)
  );

  espl_ram #(
      .Width(8 * Lanes),
      .EnableWidth(8),
      .Depth(WideDepth / 2),
      .InitFile(WideOddFile)
  ) u_odd (
      .clk_i,
      .write_i(write_odd_q),
      .write_address_i(write_odd_address_q),
      .write_data_i(write_data_q),
      .read_address_i(odd_address_q),
      .read_data_o(odd)
  );

  logic odd8_q, odd9_q;
  logic [ShiftBits-1:0] shift8_q, shift9_q;
  logic [Lanes-1:0] in_plane8_q, in_plane9_q, in_plane10_q, in_plane11_q, in_plane12_q;
  always_ff @(posedge clk_i) begin : wait_for_wide
    {odd9_q, odd8_q}     <= {odd8_q, odd7_q};
    {shift9_q, shift8_q} <= {shift8_q, shift7_q};
    in_plane8_q          <= dense_q ? '1 : started & ~ended & columns7_q;
    {in_plane12_q, in_plane11_q} <= {in_plane11_q, in_plane10_q};
    in_plane10_q <= in_plane9_q & ~{Lanes{from_extra}};
    in_plane9_q  <= in_plane8_q;
  end

  // stages 10 to 13
  logic [8*Lanes-1:0] gathered, operand_q, other;
  logic from_extra;
  espl_gather #(
      .Lanes(Lanes)
  ) u_gather (
      .clk_i,
      .even_i(even),
      .odd_i(odd),
      .odd_first_i(odd9_q),
      .shift_i(shift9_q),
      .valid_i(in_plane12_q),
      .other_i(other),
      .lanes_o(gathered)
  );

  // words beyond WideDepth take the way of the padding, which is 0 in dense layers
  if (WideExtra != 0) begin : gen_extra
    localparam int unsigned ExtraBits = espl_pkg::index_bits(WideExtra);
    `ESPL_STATIC(extra_words_follow_a_power_of_two,
                 WideDepth == 2 ** $clog2(WideDepth) && WideExtra <= WideDepth)
    logic extra_write_q, use7_q, use8_q, use9_q, use10_q, use11_q;
    logic [ExtraBits-1:0] write_word_q, word7_q, word8_q, word9_q, word10_q, word11_q;
    logic [8*Lanes-1:0] extra;
    espl_ram_gated #(
        .Width(8 * Lanes),
        .Depth(WideExtra),
        .InitFile(WideExtraFile)
    ) u_extra (
        .clk_i,
        .write_i(extra_write_q),
        .write_address_i(write_word_q),
        .write_data_i(write_data_q),
        .read_i(use11_q),
        .read_address_i(word11_q),
        .read_data_o(extra)
    );
    always_ff @(posedge clk_i) begin : beyond
      extra_write_q <= extra_write_i;
      write_word_q  <= ExtraBits'({wide_even_address_i, wide_enable_odd_i[0]});
      use7_q        <= dense_q && word_q[$clog2(WideDepth)];
      word7_q       <= word_q[ExtraBits-1:0];
      {word11_q, word10_q, word9_q, word8_q} <= {word10_q, word9_q, word8_q, word7_q};
      {use11_q, use10_q, use9_q, use8_q} <= {use10_q, use9_q, use8_q, use7_q};
    end
    always_comb begin : join_extra
      for (int unsigned l = 0; l < Lanes; l++) other[8*l +: 8] = pad_q | extra[8*l +: 8];
    end
    assign from_extra = use9_q;
  end else begin : gen_no_extra
    assign other      = {Lanes{pad_q}};
    assign from_extra = 1'b0;
    logic unused_extra;
    assign unused_extra = extra_write_i;
  end

  for (genvar l = 0; l < Lanes; l++) begin : gen_operand
    if (MaxPool != 0) begin : gen_max
      always_ff @(posedge clk_i) begin : stage13
        if (!(max_q && (!valid_q[7] || (!first_q[7] && operand_q[8*l +: 8] > gathered[8*l +: 8]))))
          operand_q[8*l +: 8] <= gathered[8*l +: 8];
      end
    end else begin : gen_plain
      always_ff @(posedge clk_i) operand_q[8*l +: 8] <= gathered[8*l +: 8];
    end
  end

  // stages 14 to 18: multiply, accumulate, copy to the drain
  logic [AccBits*Lanes-1:0] sums, drain_q;
  for (genvar p = 0; p < Lanes / 2; p++) begin : gen_pair
    espl_lane_pair u_pair (
        .clk_i,
        .signed_i(dense_q),
        .a0_i(operand_q[16*p +: 8]),
        .a1_i(operand_q[16*p + 8 +: 8]),
        .w_i($signed(weight_q[8*WeightDelay-1 -: 8])),
        .valid_i(valid_q[11]),
        .first_i(first_q[11]),
        .sum0_o(sums[AccBits*2*p +: AccBits]),
        .sum1_o(sums[AccBits*(2*p+1) +: AccBits])
    );
  end

  always_ff @(posedge clk_i) begin : drain
    if (last_q[12] && valid_q[12]) drain_q <= sums;
    else if (drain_shift_q && gate_q) drain_q <= drain_q >> (AccBits * Requantizers);
  end
  assign drain_o = drain_q[AccBits*Requantizers-1:0];

  logic unused;
  if (MaxPool == 0) begin : gen_unused
    assign unused = &{1'b0, max_q, next_word[0], next_word[AddrBits-1:BankBits+1], word_q[AddrBits-1:BankBits+1]};
  end else begin : gen_unused
    assign unused = &{1'b0, next_word, word_q};
  end

endmodule

`default_nettype wire
