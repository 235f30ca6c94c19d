// espl_engine: the accelerator: Lanes by Splits multipliers and their program.
// SPDX-License-Identifier: Apache-2.0
//
// Contract   AXI4-Stream in and out, 64 bits. The input stream carries frames
//            (espl_loader) that load the program, then inputs; the output stream
//            carries one packet per inference. The next input may arrive while the
//            last one is computed. Nothing inside stalls: an inference takes the same
//            number of cycles each time, known to the compiler.
// Status     address 0 version, 1 identity of these parameters, 2 and 3 identity of the
//            program, 4 cycles of the last inference, 5 inferences, 6 malformed frames,
//            7 {input complete, running}.
// Cost       Lanes * Splits / 2 + Requantizers + Doubles multipliers.

`default_nettype none
`include "espl_assert.svh"

module espl_engine #(
    parameter int unsigned Lanes = 16,
    parameter int unsigned Splits = 16,
    parameter int unsigned Requantizers = 16,
    parameter int unsigned Doubles = 0,  // requantizers with two multipliers
    parameter int unsigned WideDepth = 1024,
    parameter int unsigned WideExtra = 0,
    parameter int unsigned NarrowDepth = 2048,
    parameter int unsigned TapDepth = 512,
    parameter int unsigned PadMax = 2,
    parameter int unsigned MaxPool = 1,
    parameter int unsigned Tables = 1,
    parameter int unsigned ParamDepth = 1024,
    parameter int unsigned GroupDepth = 1024,
    parameter int unsigned BlockDepth = 512,
    parameter int unsigned EntryDepth = 1024,
    parameter int unsigned PatternDepth = 64,
    parameter int unsigned LayerDepth = 64,
    parameter int unsigned OutputDepth = 64,
    parameter logic [31:0] Identity = 32'h0,
    // the program as initial contents (docs/format.md): what image files' names begin with, and
    // what the control frame would write; "" when the program is loaded
    parameter Images = "",
    parameter logic [63:0] ProgramIdentity = 64'h0,
    parameter logic [15:0] OutputBeats = 16'h0,
    parameter logic [31:0] OutputDelay = 32'h0
) (
    input  wire logic        clk_i,
    input  wire logic        rst_ni,

    input  wire logic        in_tvalid_i,
    output      logic        in_tready_o,
    input  wire logic [63:0] in_tdata_i,
    input  wire logic        in_tlast_i,

    output      logic        out_tvalid_o,
    input  wire logic        out_tready_i,
    output      logic [63:0] out_tdata_o,
    output      logic        out_tlast_o,

    input  wire logic [ 2:0] status_address_i,
    output      logic [31:0] status_data_o,

    // what the drain writes, for those who watch a simulation (docs/engine.md); leave open
    output logic                                        watch_layer_o,   // a layer begins: the one
                                                                         // before is complete
    output logic                                        watch_wide_o,
    output logic                                        watch_output_o,
    output logic                                        watch_vector_o,
    output logic [Splits-1:0]                           watch_splits_o,
    output logic [Lanes-1:0]                            watch_enable_even_o,
    output logic [Lanes-1:0]                            watch_enable_odd_o,
    output logic [15:0]                                 watch_even_address_o,
    output logic [15:0]                                 watch_odd_address_o,
    output logic [8*Lanes-1:0]                          watch_data_o,
    output logic [16:0]                                 watch_vector_address_o,
    output logic [8*Splits-1:0]                         watch_vector_data_o
);

  localparam int unsigned AccBits = espl_pkg::AccBits;
  localparam int unsigned AddrBits = espl_pkg::AddrBits;
  localparam int unsigned TapBits = espl_pkg::index_bits(TapDepth);
  localparam int unsigned EntryBits = 8 + TapBits;
  localparam int unsigned BankBits = espl_pkg::index_bits(WideDepth / 2);
  localparam int unsigned NarrowAddressBits = espl_pkg::index_bits(NarrowDepth);
  localparam int unsigned OutputBankBits = espl_pkg::index_bits(OutputDepth / 2);
  localparam int unsigned MaskBits = 2 * PadMax * Lanes;
  localparam int unsigned BlockWordBits = espl_pkg::EntryStartBits + espl_pkg::EntryCountBits + MaskBits;
  localparam int unsigned SplitBits = espl_pkg::index_bits(Splits);
  localparam int unsigned SelectBits = espl_pkg::index_bits(Requantizers);
  localparam int unsigned PatternWordBits = Requantizers * (SelectBits + 1);
  localparam int unsigned PatternAddressBits = espl_pkg::index_bits(PatternDepth);
  localparam int unsigned TableBits = $clog2((Tables == 0 ? 1 : Tables) * 256);

  localparam TapFile = Images == "" ? "" : {Images, "tap.hex"};
  localparam ParamFile = Images == "" ? "" : {Images, "param.hex"};
  localparam GroupFile = Images == "" ? "" : {Images, "group.hex"};
  localparam BlockFile = Images == "" ? "" : {Images, "block.hex"};
  localparam EntryFile = Images == "" ? "" : {Images, "entry.hex"};
  localparam PatternFile = Images == "" ? "" : {Images, "pattern.hex"};
  localparam ProgramFile = Images == "" ? "" : {Images, "program.hex"};
  localparam TableFile = Images == "" ? "" : {Images, "table.hex"};

  `ESPL_STATIC(splits_are_a_power_of_two, Splits == 2 ** $clog2(Splits) && Splits <= 16)
  `ESPL_STATIC(requantizers_fit_splits, Requantizers <= Splits)
  `ESPL_STATIC(wide_depth_is_even, WideDepth == 2 * (WideDepth / 2))
  `ESPL_STATIC(patterns_have_six_bits, PatternDepth <= 64)
  `ESPL_STATIC(block_words_fit_four_beats, BlockWordBits <= 256)

  // -- loading -----------------------------------------------------------------------------------
  logic load, load_taken, input_done, frame_error;
  logic [4:0] load_memory;
  logic [15:0] load_splits;
  logic [23:0] load_address;
  logic [255:0] load_data;
  logic input_full_q, input_open_q;  // complete; may be written
  logic input_begins, prepare_q;     // its first frame; one is on its way or complete

  espl_loader #(
      .Lanes(Lanes),
      .Splits(Splits),
      .Requantizers(Requantizers),
      .PadMax(PadMax)
  ) u_loader (
      .clk_i,
      .rst_ni,
      .in_valid_i(in_tvalid_i),
      .in_ready_o(in_tready_o),
      .in_data_i(in_tdata_i),
      .in_last_i(in_tlast_i),
      .input_free_i(input_open_q),
      .input_begins_o(input_begins),
      .input_done_o(input_done),
      .error_o(frame_error),
      .write_o(load),
      .taken_i(load_taken),
      .memory_o(load_memory),
      .splits_o(load_splits),
      .address_o(load_address),
      .data_o(load_data)
  );

  logic load_wide, load_narrow, load_vector;
  assign load_wide   = load && load_memory == 5'(espl_pkg::MemWide);
  assign load_narrow = load && load_memory == 5'(espl_pkg::MemNarrow);
  assign load_vector = load && load_memory == 5'(espl_pkg::MemVector);

  // -- the program -------------------------------------------------------------------------------
  logic start, running, done, release_input, output_free;
  logic per_split, dense, max_pool, packed_bytes, table_on;
  logic [1:0] kind, param_stride;
  logic [3:0] table_select;
  logic [7:0] pad, zero, low, high;
  logic [19:0] limit0, limit1;
  logic valid, first, last, push;
  logic [15:0] param;
  logic [AddrBits-1:0] narrow_address, base, address, offset;
  logic plain, odd;
  logic [11:0] tap;
  logic [MaskBits-1:0] column_masks;
  logic [espl_pkg::EntryStartBits-1:0] entry_start;
  logic [espl_pkg::EntryCountBits-1:0] entry_count;
  logic [4:0] loops;

  espl_sequencer #(
      .Lanes(Lanes),
      .Splits(Splits),
      .PadMax(PadMax),
      .GroupDepth(GroupDepth),
      .BlockDepth(BlockDepth),
      .LayerDepth(LayerDepth),
      .GroupFile(GroupFile),
      .BlockFile(BlockFile),
      .ProgramFile(ProgramFile)
  ) u_sequencer (
      .clk_i,
      .rst_ni,
      .prepare_i(prepare_q),
      .ready_i(input_full_q),
      .flush_i(load && (load_memory == 5'(espl_pkg::MemProgram) || load_memory == 5'(espl_pkg::MemGroup)
                        || load_memory == 5'(espl_pkg::MemBlock))),
      .start_o(start),
      .running_o(running),
      .done_o(done),
      .release_o(release_input),
      .output_free_i(output_free),
      .layer_o(watch_layer_o),
      .last_layer_o(last_layer),
      .per_split_o(per_split),
      .dense_o(dense),
      .max_o(max_pool),
      .packed_o(packed_bytes),
      .kind_o(kind),
      .table_o(table_on),
      .table_select_o(table_select),
      .param_stride_o(param_stride),
      .pad_o(pad),
      .zero_o(zero),
      .low_o(low),
      .high_o(high),
      .limit0_o(limit0),
      .limit1_o(limit1),
      .valid_o(valid),
      .first_o(first),
      .last_o(last),
      .narrow_address_o(narrow_address),
      .plain_o(plain),
      .odd_o(odd),
      .tap_o(tap),
      .base_o(base),
      .address_o(address),
      .column_masks_o(column_masks),
      .push_o(push),
      .entry_start_o(entry_start),
      .entry_count_o(entry_count),
      .loops_o(loops),
      .param_o(param),
      .offset_o(offset),
      .group_write_i(load && load_memory == 5'(espl_pkg::MemGroup)),
      .group_address_i(load_address[espl_pkg::index_bits(GroupDepth)-1:0]),
      .group_data_i(load_data[espl_pkg::GroupWordBits-1:0]),
      .block_write_i(load && load_memory == 5'(espl_pkg::MemBlock)),
      .block_address_i(load_address[espl_pkg::index_bits(BlockDepth)-1:0]),
      .block_data_i(load_data[BlockWordBits-1:0]),
      .program_write_i(load && load_memory == 5'(espl_pkg::MemProgram)),
      .program_address_i(load_address[espl_pkg::index_bits(LayerDepth*4)-1:0]),
      .program_data_i(load_data[63:0])
  );

  // control of the splits: from stage 0 to stage StageAddress - 1; the last flag to the drain
  localparam int unsigned Wait = espl_pkg::StageAddress - 1;
  localparam int unsigned ControlBits = 3 + 2 * AddrBits + MaskBits;
  logic [ControlBits*Wait-1:0] control_q;
  logic [espl_pkg::StageDrain-1:0] last_q;
  logic split_valid, split_first, split_last;
  logic [AddrBits-1:0] split_base, split_address;
  logic [MaskBits-1:0] split_masks;

  always_ff @(posedge clk_i) begin : delay
    control_q <= {control_q[ControlBits*(Wait-1)-1:0], valid, first, last && valid, base, address, column_masks};
    last_q    <= rst_ni ? {last_q[espl_pkg::StageDrain-2:0], last && valid} : '0;
  end
  assign {split_valid, split_first, split_last, split_base, split_address, split_masks} =
      control_q[ControlBits*(Wait-1) +: ControlBits];

  // -- the writer's ports, used by the splits, the output and the loader ---------------------------
  logic wide, wide_to_output, vector;
  logic [Splits-1:0] wide_splits, vector_splits;
  logic [Lanes-1:0] enable_even, enable_odd;
  logic [BankBits-1:0] even_address, odd_address;
  logic [8*Lanes-1:0] wide_data;
  logic [OutputBankBits-1:0] output_even_address, output_odd_address;
  logic [NarrowAddressBits-1:0] vector_address;
  logic [8*Splits-1:0] vector_data;

  assign load_taken = load_wide ? !wide : (load_narrow || load_vector) ? !vector : 1'b1;

  logic [Splits-1:0] write_splits, write_narrow;
  logic write_extra;  // of the loader: a word beyond WideDepth
  assign write_extra = WideExtra != 0 && !wide && load_address[$clog2(WideDepth)];
  logic [Lanes-1:0] write_even, write_odd;
  logic [BankBits-1:0] write_even_address, write_odd_address;
  logic [8*Lanes-1:0] write_data;
  logic [NarrowAddressBits-1:0] narrow_write_address;
  logic [EntryBits*Splits-1:0] narrow_data;

  always_comb begin : arbitrate
    if (wide) begin
      write_splits       = wide_splits;
      write_even         = enable_even;
      write_odd          = enable_odd;
      write_even_address = even_address;
      write_odd_address  = odd_address;
      write_data         = wide_data;
    end else begin
      write_splits       = load_splits[Splits-1:0] & {Splits{load_wide}};
      write_even         = {Lanes{!load_address[0]}};
      write_odd          = {Lanes{load_address[0]}};
      write_even_address = load_address[BankBits:1];
      write_odd_address  = load_address[BankBits:1];
      write_data         = load_data[8*Lanes-1:0];
    end
    if (vector) begin
      write_narrow         = vector_splits;
      narrow_write_address = vector_address;
      for (int unsigned s = 0; s < Splits; s++)
        narrow_data[EntryBits*s +: EntryBits] = {{TapBits{1'b0}}, vector_data[8*s +: 8] ^ 8'h80};
    end else begin
      write_narrow         = load_vector ? '1 : load_splits[Splits-1:0] & {Splits{load_narrow}};
      narrow_write_address = load_address[NarrowAddressBits-1:0];
      for (int unsigned s = 0; s < Splits; s++)
        narrow_data[EntryBits*s +: EntryBits] =
            load_vector ? {{TapBits{1'b0}}, load_data[8*s +: 8]} : load_data[EntryBits-1:0];
    end
  end

  // -- the splits --------------------------------------------------------------------------------
  logic [Splits-1:0] gate;
  logic shift;
  logic [AccBits*Requantizers*Splits-1:0] terms;

  for (genvar s = 0; s < Splits; s++) begin : gen_split
    // a split's images end in its number, a hexadecimal digit
    localparam logic [7:0] Digit = 8'(s < 10 ? 48 + s : 87 + s);
    localparam WideEvenFile = Images == "" ? "" : {Images, "wide_even_", Digit, ".hex"};
    localparam WideOddFile = Images == "" ? "" : {Images, "wide_odd_", Digit, ".hex"};
    localparam WideExtraFile = Images == "" ? "" : {Images, "wide_extra_", Digit, ".hex"};
    localparam NarrowFile = Images == "" ? "" : {Images, "narrow_", Digit, ".hex"};

    espl_split #(
        .Lanes(Lanes),
        .Requantizers(Requantizers),
        .WideDepth(WideDepth),
        .WideExtra(WideExtra),
        .NarrowDepth(NarrowDepth),
        .TapDepth(TapDepth),
        .PadMax(PadMax),
        .MaxPool(MaxPool),
        .WideEvenFile(WideEvenFile),
        .WideOddFile(WideOddFile),
        .WideExtraFile(WideExtraFile),
        .NarrowFile(NarrowFile),
        .TapFile(TapFile)
    ) u_split (
        .clk_i,
        .narrow_address_i(narrow_address[NarrowAddressBits-1:0]),
        .plain_i(plain),
        .odd_i(odd),
        .tap_i(tap[TapBits-1:0]),
        .valid_i(split_valid),
        .first_i(split_first),
        .last_i(split_last),
        .base_i(split_base),
        .address_i(split_address),
        .column_masks_i(split_masks),
        .dense_i(dense),
        .max_i(max_pool),
        .pad_i(pad),
        .limit0_i(limit0),
        .limit1_i(limit1),
        .drain_gate_i(gate[s]),
        .drain_shift_i(shift),
        .drain_o(terms[AccBits*Requantizers*s +: AccBits*Requantizers]),
        .wide_write_i(write_splits[s] && !write_extra),
        .extra_write_i(write_splits[s] && write_extra),
        .wide_enable_even_i(write_even),
        .wide_enable_odd_i(write_odd),
        .wide_even_address_i(write_even_address),
        .wide_odd_address_i(write_odd_address),
        .wide_data_i(write_data),
        .narrow_write_i(write_narrow[s]),
        .narrow_write_address_i(narrow_write_address),
        .narrow_data_i(narrow_data[EntryBits*s +: EntryBits]),
        .tap_write_i(load && load_memory == 5'(espl_pkg::MemTap)),
        .tap_write_address_i(load_address[TapBits-1:0]),
        .tap_data_i(load_data[espl_pkg::TapWordBits-1:0])
    );
  end

  // -- the drain: sum, requantize, write -------------------------------------------------------------
  logic step, compute, second;
  logic [2:0] quarter;
  logic [espl_pkg::ParamWordBits-1:0] record;
  logic [espl_pkg::PatternBits-1:0] pattern;
  logic [AddrBits-1:0] step_offset;

  espl_drain #(
      .Splits(Splits),
      .EntryDepth(EntryDepth),
      .ParamDepth(ParamDepth),
      .EntryFile(EntryFile),
      .ParamFile(ParamFile)
  ) u_drain (
      .clk_i,
      .rst_ni,
      .push_i(push),
      .entry_start_i(entry_start),
      .entry_count_i(entry_count),
      .loops_i(loops),
      .param_i(param),
      .offset_i(offset),
      .start_i(last_q[espl_pkg::StageDrain-1]),
      .per_split_i(per_split),
      .param_stride_i(param_stride),
      .gate_o(gate),
      .shift_o(shift),
      .pass_o(pass),
      .index_o(index),
      .step_o(step),
      .quarter_o(quarter),
      .record_o(record),
      .compute_o(compute),
      .second_o(second),
      .pattern_o(pattern),
      .offset_o(step_offset),
      .entry_write_i(load && load_memory == 5'(espl_pkg::MemEntry)),
      .entry_address_i(load_address[espl_pkg::index_bits(EntryDepth)-1:0]),
      .entry_data_i(load_data[espl_pkg::EntryWordBits-1:0]),
      .param_write_i(load && load_memory == 5'(espl_pkg::MemParam)),
      .param_address_i(load_address[espl_pkg::index_bits(ParamDepth)-1:0]),
      .param_data_i(load_data[espl_pkg::ParamWordBits-1:0])
  );

  // the choice hops as the splits' controls do
  logic pass, pass_q;
  logic [3:0] index;
  logic [SplitBits-1:0] index_q;
  always_ff @(posedge clk_i) begin : hop
    pass_q  <= pass;
    index_q <= index[SplitBits-1:0];
  end

  logic [AccBits*Requantizers-1:0] sums;
  espl_tree #(
      .Inputs(Splits),
      .Count(Requantizers)
  ) u_tree (
      .clk_i,
      .terms_i(terms),
      .pass_i(pass_q),
      .index_i(index_q),
      .sum_o(sums)
  );

  logic [8*Requantizers-1:0] bytes;
  logic [AddrBits-1:0] dest;
  logic [15:0] mask;

  espl_requant_array #(
      .Requantizers(Requantizers),
      .Doubles(Doubles),
      .Tables(Tables),
      .TableFile(TableFile)
  ) u_requant (
      .clk_i,
      .load_i(step),
      .quarter_i(quarter),
      .record_i(record),
      .second_i(second),
      .sums_i(sums),
      .packed_i(packed_bytes),
      .zero_i(zero),
      .low_i(low),
      .high_i(high),
      .table_i(table_on),
      .table_select_i(table_select),
      .table_write_i(load && load_memory == 5'(espl_pkg::MemTable)),
      .table_address_i(load_address[TableBits-1:0]),
      .table_data_i(load_data[7:0]),
      .bytes_o(bytes),
      .dest_o(dest),
      .mask_o(mask)
  );

  // step's flags, pattern and offset from stage -1 to the bytes; the pattern is read on the way
  localparam int unsigned StepWait = espl_pkg::RequantLatency + 1;
  logic [StepWait-1:0] compute_q;
  logic [espl_pkg::PatternBits*(StepWait-2)-1:0] pattern_q;
  logic [AddrBits*StepWait-1:0] offset_q;
  always_ff @(posedge clk_i) begin : follow
    compute_q <= rst_ni ? {compute_q[StepWait-2:0], compute} : '0;
    pattern_q <= {pattern_q[espl_pkg::PatternBits*(StepWait-3)-1:0], pattern};
    offset_q  <= {offset_q[AddrBits*(StepWait-1)-1:0], step_offset};
  end

  logic [PatternWordBits-1:0] pattern_word;
  logic [espl_pkg::PatternBits-1:0] pattern_address;
  assign pattern_address = pattern_q[espl_pkg::PatternBits*(StepWait-3) +: espl_pkg::PatternBits];
  espl_ram #(
      .Width(PatternWordBits),
      .Depth(PatternDepth),
      .InitFile(PatternFile)
  ) u_pattern (
      .clk_i,
      .write_i(load && load_memory == 5'(espl_pkg::MemPattern)),
      .write_address_i(load_address[PatternAddressBits-1:0]),
      .write_data_i(load_data[PatternWordBits-1:0]),
      .read_address_i(pattern_address[PatternAddressBits-1:0]),
      .read_data_o(pattern_word)
  );

  espl_writer #(
      .Lanes(Lanes),
      .Splits(Splits),
      .Requantizers(Requantizers),
      .WideDepth(WideDepth),
      .OutputDepth(OutputDepth),
      .NarrowDepth(NarrowDepth)
  ) u_writer (
      .clk_i,
      .step_i(compute_q[StepWait-1]),
      .kind_i(kind),
      .bytes_i(bytes),
      .pattern_i(pattern_word),
      .dest_i(dest),
      .offset_i(offset_q[AddrBits*(StepWait-1) +: AddrBits]),
      .mask_i(mask),
      .wide_o(wide),
      .wide_splits_o(wide_splits),
      .enable_even_o(enable_even),
      .enable_odd_o(enable_odd),
      .even_address_o(even_address),
      .odd_address_o(odd_address),
      .data_o(wide_data),
      .output_o(wide_to_output),
      .output_even_address_o(output_even_address),
      .output_odd_address_o(output_odd_address),
      .vector_o(vector),
      .vector_splits_o(vector_splits),
      .vector_address_o(vector_address),
      .vector_data_o(vector_data)
  );

  // -- the result ----------------------------------------------------------------------------------
  // It may begin to leave while the last layer computes: the program says when.
  logic [15:0] beats_q;
  logic [31:0] delay_q, wait_q;
  logic last_layer, waiting_q, send;
  assign send = (waiting_q && wait_q == 32'd1) || (done && delay_q == '0);

  always_ff @(posedge clk_i) begin : when_to_send
    if (!rst_ni) waiting_q <= 1'b0;
    else if (last_layer) waiting_q <= delay_q != '0;
    else if (wait_q == 32'd1) waiting_q <= 1'b0;
    wait_q <= last_layer ? delay_q : wait_q - 1'b1;
  end

  espl_output #(
      .Lanes(Lanes),
      .OutputDepth(OutputDepth)
  ) u_output (
      .clk_i,
      .rst_ni,
      .write_i(wide_to_output),
      .enable_even_i(enable_even),
      .enable_odd_i(enable_odd),
      .even_address_i(output_even_address),
      .odd_address_i(output_odd_address),
      .data_i(wide_data),
      .start_i(send),
      .beats_i(beats_q),
      .free_o(output_free),
      .out_valid_o(out_tvalid_o),
      .out_ready_i(out_tready_i),
      .out_data_o(out_tdata_o),
      .out_last_o(out_tlast_o)
  );

  // -- state and status ------------------------------------------------------------------------------
  logic [63:0] program_identity_q;
  logic [31:0] cycles_q, last_cycles_q, inferences_q, errors_q;

  always_ff @(posedge clk_i) begin : state
    if (!rst_ni) begin
      input_full_q       <= 1'b0;
      input_open_q       <= 1'b1;
      prepare_q          <= 1'b0;
      inferences_q       <= '0;
      errors_q           <= '0;
      program_identity_q <= ProgramIdentity;
      beats_q            <= OutputBeats;
      delay_q            <= OutputDelay;
    end else begin
      if (release_input) input_open_q <= 1'b1;
      if (input_done) begin
        input_full_q <= 1'b1;
        input_open_q <= 1'b0;
      end else if (start) begin
        input_full_q <= 1'b0;
      end
      if (input_begins) prepare_q <= 1'b1;
      else if (start) prepare_q <= 1'b0;
      if (done) inferences_q <= inferences_q + 1'b1;
      if (frame_error) errors_q <= errors_q + 1'b1;
      if (load && load_memory == 5'(espl_pkg::MemControl)) begin
        if (load_address[0]) {delay_q, beats_q} <= load_data[47:0];
        else program_identity_q <= load_data[63:0];
      end
    end
    cycles_q <= start ? 32'd1 : cycles_q + 1'b1;
    if (done) last_cycles_q <= cycles_q;
  end

  always_ff @(posedge clk_i) begin : status
    unique case (status_address_i)
      3'd0: status_data_o <= 32'h4553_0001;  // "ES", version 1
      3'd1: status_data_o <= Identity;
      3'd2: status_data_o <= program_identity_q[31:0];
      3'd3: status_data_o <= program_identity_q[63:32];
      3'd4: status_data_o <= last_cycles_q;
      3'd5: status_data_o <= inferences_q;
      3'd6: status_data_o <= errors_q;
      3'd7: status_data_o <= {30'b0, input_full_q, running};
    endcase
  end

  assign watch_wide_o           = wide;
  assign watch_output_o         = wide_to_output;
  assign watch_vector_o         = vector;
  assign watch_splits_o         = vector ? vector_splits : wide_splits;
  assign watch_enable_even_o    = enable_even;
  assign watch_enable_odd_o     = enable_odd;
  assign watch_even_address_o   = wide_to_output ? 16'(output_even_address) : 16'(even_address);
  assign watch_odd_address_o    = wide_to_output ? 16'(output_odd_address) : 16'(odd_address);
  assign watch_data_o           = wide_data;
  assign watch_vector_address_o = 17'(vector_address);
  assign watch_vector_data_o    = vector_data;

  logic unused;
  assign unused = &{1'b0, narrow_address, tap, index, load_address, load_data, load_splits, pattern_address};

endmodule

`default_nettype wire
