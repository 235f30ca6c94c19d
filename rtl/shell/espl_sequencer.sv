// espl_sequencer: walks the program: layers, groups, blocks, cycles.
// SPDX-License-Identifier: Apache-2.0
//
// Computes   for each layer, each group of it, each block, `cycles` issued cycles.
//            The last one of a block waits until the drain is through with the block
//            before; the first of a layer until the pipeline is empty.
// Contract   prepare_i lets it fetch the program's beginning; the first cycle is issued
//            when ready_i is 1, and start_o says so. flush_i, when a table is written,
//            forgets what was fetched but not begun. done_o is 1 for a cycle when all
//            is written. The configuration outputs hold while a layer is in flight.
// Timing     last(k) = max(first(k) + cycles - 1, last(k-1) + drain(k-1)),
//            first(k+1) = last(k) + 1; between layers
//            first = last + drain + Gap. The compiler counts with the same rule.
// Cost       about 600 LUT4; tables in block RAM.
//
//   program word 0  {plain, mode 2, max, packed, release, last, kind 2, table, table select 4,
//                    param stride 2, pad 8, zero 8, low 8, high 8} in bits 47:0
//                1  {block count, block base, group count, group base} of 16 bits
//                2  {advance, period, param base, tap base} of 16 bits
//                3  {param step 7, narrow base 17, limit1 20, limit0 20}

`default_nettype none
`include "espl_assert.svh"

module espl_sequencer #(
    parameter int unsigned Lanes = 16,
    parameter int unsigned Splits = 16,
    parameter int unsigned PadMax = 2,
    parameter int unsigned GroupDepth = 512,
    parameter int unsigned BlockDepth = 512,
    parameter int unsigned LayerDepth = 64,
    parameter GroupFile = "",
    parameter BlockFile = "",
    parameter ProgramFile = "",
    localparam int unsigned MaskBits = 2 * PadMax * Lanes,
    localparam int unsigned BlockWordBits =
        espl_pkg::EntryStartBits + espl_pkg::EntryCountBits + MaskBits,
    localparam int unsigned GroupAddressBits = espl_pkg::index_bits(GroupDepth),
    localparam int unsigned BlockAddressBits = espl_pkg::index_bits(BlockDepth),
    localparam int unsigned ProgramAddressBits = espl_pkg::index_bits(LayerDepth * 4),
    localparam int unsigned AddrBits = espl_pkg::AddrBits,
    localparam int unsigned Gap = 21 + espl_pkg::RequantLatency + espl_pkg::tree_stages(Splits)
) (
    input  wire logic clk_i,
    input  wire logic rst_ni,

    input  wire logic prepare_i,       // an input is coming
    input  wire logic ready_i,         // it is complete
    input  wire logic flush_i,         // the program changes
    output      logic start_o,         // pulse: the input is in use
    output      logic running_o,
    output      logic done_o,
    output      logic release_o,       // the input's place is free
    input  wire logic output_free_i,   // the last result has left
    output      logic layer_o,         // pulse: a layer begins, or the last one is complete
    output      logic last_layer_o,    // with layer_o: the last layer begins

    // the layer in flight
    output logic       per_split_o,
    output logic       dense_o,
    output logic       max_o,
    output logic       packed_o,
    output logic [1:0] kind_o,         // destination: 0 wide, 1 element, 2 elements, 3 output
    output logic       table_o,
    output logic [3:0] table_select_o,
    output logic [1:0] param_stride_o,
    output logic [7:0] pad_o,
    output logic [7:0] zero_o,
    output logic [7:0] low_o,
    output logic [7:0] high_o,
    output logic [19:0] limit0_o,
    output logic [19:0] limit1_o,

    // a cycle, stage 0
    output logic                  valid_o,
    output logic                  first_o,
    output logic                  last_o,
    output logic [AddrBits-1:0]   narrow_address_o,
    output logic                  plain_o,          // a word of the narrow memory is two weights,
    output logic                  odd_o,            // this is the second one,
    output logic [11:0]           tap_o,            // and this is their tap
    output logic [AddrBits-1:0]   base_o,           // wide word of the block, before taps
  output logic [AddrBits-1:0]   address_o,        // the block's number in its plane
    output logic [MaskBits-1:0]   column_masks_o,
    // a block's drain, with its last cycle
    output logic                                push_o,
    output logic [espl_pkg::EntryStartBits-1:0] entry_start_o,
    output logic [espl_pkg::EntryCountBits-1:0] entry_count_o,
    output logic [4:0]                          loops_o,
    output logic [15:0]                         param_o,
    output logic [AddrBits-1:0]                 offset_o,

    input wire logic                             group_write_i,
    input wire logic [GroupAddressBits-1:0]      group_address_i,
    input wire logic [espl_pkg::GroupWordBits-1:0] group_data_i,
    input wire logic                             block_write_i,
    input wire logic [BlockAddressBits-1:0]      block_address_i,
    input wire logic [BlockWordBits-1:0]         block_data_i,
    input wire logic                             program_write_i,
    input wire logic [ProgramAddressBits-1:0]    program_address_i,
    input wire logic [63:0]                      program_data_i
);

  localparam int unsigned CycleBits = espl_pkg::CycleBits;
  localparam int unsigned ConfigBits = 45 + 40;
  localparam int unsigned EntryStartBits = espl_pkg::EntryStartBits;
  localparam int unsigned EntryCountBits = espl_pkg::EntryCountBits;

  // -- the program -------------------------------------------------------------------------------
  logic [ProgramAddressBits-1:0] program_address_q;
  logic [63:0] program_word;
  espl_ram #(
      .Width(64),
      .Depth(LayerDepth * 4),
      .InitFile(ProgramFile)
  ) u_program (
      .clk_i,
      .write_i(program_write_i),
      .write_address_i(program_address_i),
      .write_data_i(program_data_i),
      .read_address_i(program_address_q),
      .read_data_o(program_word)
  );

  // -- the walker: fetches a layer, then makes a block a cycle -------------------------------------
  typedef enum logic [1:0] {WalkIdle, WalkFetch, WalkBlocks, WalkEnd} walk_e;
  walk_e walk_q;
  logic [2:0] fetch_q;
  logic [47:0] word0_q;
  logic [63:0] word1_q, word2_q, word3_q;
  logic config_taken;       // the issuer has begun the layer of word0..3
  logic config_waiting_q;   // it has not yet

  logic layer_last;
  logic [15:0] block_base, block_count, period, advance;
  assign layer_last = word0_q[41];
  assign {block_count, block_base} = word1_q[63:32];
  assign {advance, period} = word2_q[63:32];

  logic [15:0] group_q, block_q, phase_q;  // groups left, blocks left, period's position
  logic [15:0] group_address_q, block_address_q;
  logic [AddrBits-1:0] offset_q;
  logic begin_layer_q;
  logic make, last_block, last_group;
  logic [3:0] credit_q;   // free places of the queue below
  logic pop;
  logic running_q, forget;

  assign forget     = flush_i && !running_q;
  assign last_block = block_q == 16'd1;
  assign last_group = group_q == 16'd1;
  assign make       = walk_q == WalkBlocks && credit_q != '0;

  always_ff @(posedge clk_i) begin : walk
    if (!rst_ni || forget) begin
      walk_q            <= WalkIdle;
      program_address_q <= '0;
      config_waiting_q  <= 1'b0;
    end else begin
      if (config_taken) config_waiting_q <= 1'b0;
      unique case (walk_q)
        WalkIdle: begin
          program_address_q <= '0;
          fetch_q           <= '0;
          if (prepare_i) walk_q <= WalkFetch;
        end
        WalkFetch: begin
          // addresses in steps 0 to 3, words two steps later, when the last block of the
          // layer before has passed the pointers
          if (!config_waiting_q) begin
            fetch_q <= fetch_q + 1'b1;
            if (fetch_q < 3'd4) program_address_q <= program_address_q + 1'b1;
            if (fetch_q >= 3'd2) begin
              word0_q <= word1_q[47:0];
              word1_q <= word2_q;
              word2_q <= word3_q;
              word3_q <= program_word;
            end
            if (fetch_q == 3'd5) begin
              walk_q           <= WalkBlocks;
              config_waiting_q <= 1'b1;
            end
          end
        end
        WalkBlocks: begin
          fetch_q <= '0;
          if (make && last_block && last_group) walk_q <= layer_last ? WalkEnd : WalkFetch;
        end
        WalkEnd: if (done_o) walk_q <= WalkIdle;
      endcase
    end

    if (walk_q == WalkFetch) begin
      // word1 and word2 arrive before the end; these settle with the last word
      group_q         <= word2_q[31:16];
      block_q         <= word2_q[63:48];
      phase_q         <= word3_q[47:32];
      group_address_q <= word2_q[15:0];
      block_address_q <= word2_q[47:32];
      offset_q        <= '0;
      begin_layer_q   <= 1'b1;
    end else if (make) begin
      begin_layer_q <= 1'b0;
      if (last_block) begin
        block_q         <= block_count;
        block_address_q <= block_base;
        phase_q         <= period;
        offset_q        <= '0;
        group_q         <= group_q - 1'b1;
        group_address_q <= group_address_q + 1'b1;
      end else begin
        block_q <= block_q - 1'b1;
        if (phase_q == 16'd1) begin
          phase_q         <= period;
          block_address_q <= block_base;
          offset_q        <= offset_q + AddrBits'(advance);
        end else begin
          phase_q         <= phase_q - 1'b1;
          block_address_q <= block_address_q + 1'b1;
        end
      end
    end
  end

  // -- its tables, two cycles later ----------------------------------------------------------------
  logic [espl_pkg::GroupWordBits-1:0] group_word;
  logic [BlockWordBits-1:0] block_word;
  espl_ram #(
      .Width(espl_pkg::GroupWordBits),
      .Depth(GroupDepth),
      .InitFile(GroupFile)
  ) u_group (
      .clk_i,
      .write_i(group_write_i),
      .write_address_i(group_address_i),
      .write_data_i(group_data_i),
      .read_address_i(group_address_q[GroupAddressBits-1:0]),
      .read_data_o(group_word)
  );
  espl_ram #(
      .Width(BlockWordBits),
      .Depth(BlockDepth),
      .InitFile(BlockFile)
  ) u_block (
      .clk_i,
      .write_i(block_write_i),
      .write_address_i(block_address_i),
      .write_data_i(block_data_i),
      .read_address_i(block_address_q[BlockAddressBits-1:0]),
      .read_data_o(block_word)
  );

  logic made1_q, made2_q, layer1_q, layer2_q, end1_q, end2_q;
  logic [AddrBits-1:0] offset1_q, offset2_q;
  always_ff @(posedge clk_i) begin : follow
    {made2_q, made1_q}     <= {made1_q && rst_ni && !forget, make && rst_ni && !forget};
    {layer2_q, layer1_q}   <= {layer1_q, begin_layer_q};
    {end2_q, end1_q}       <= {end1_q, last_block};
    {offset2_q, offset1_q} <= {offset1_q, offset_q};
  end

  // -- pointers that run through the layer -----------------------------------------------------------
  logic dense, plain;
  logic [CycleBits-1:0] cycles, words;  // of the narrow memory
  logic [4:0] loops;
  logic [AddrBits-1:0] base;
  logic [EntryCountBits-1:0] count;
  logic [EntryStartBits-1:0] start;
  logic [MaskBits-1:0] masks;
  assign dense = word0_q[46:45] == 2'd2;
  assign plain = word0_q[47];
  assign words = plain ? CycleBits'(({1'b0, cycles} + 1'b1) >> 1) : cycles;
  assign {base, loops, cycles} = group_word;
  assign {masks, count, start} = block_word;

  logic [15:0] param_q, step_q, param;  // the next record, less the step still to be added
  logic [AddrBits-1:0] narrow_q, narrow, address_q, address;
  logic [15:0] param_step;
  assign param_step = 16'(word3_q[63:57]);
  assign narrow  = layer2_q ? word3_q[56:40] : narrow_q;
  assign param   = layer2_q ? word2_q[31:16] : param_q + step_q;
  assign address = layer2_q ? '0 : address_q;

  always_ff @(posedge clk_i) begin : pointers
    if (made2_q) begin
      if (end2_q) begin
        narrow_q  <= narrow + AddrBits'(words);
        address_q <= '0;
      end else begin
        narrow_q  <= narrow;
        address_q <= address + (dense ? AddrBits'(cycles) : AddrBits'(1));
      end
      param_q <= param;
      if (dense) step_q <= param_step;
      else if (end2_q) step_q <= 16'(espl_pkg::product5(loops, param_step));
      else step_q <= '0;
    end
  end

  // -- the queue of blocks ---------------------------------------------------------------------------
  localparam int unsigned QueueDepth = 8;
  localparam int unsigned DrainBits = EntryCountBits + 5;
  localparam int unsigned QueueBits =
      3 + CycleBits + 12 + 3 * AddrBits + 5 + EntryStartBits + EntryCountBits + 16 + AddrBits + MaskBits + DrainBits;
  logic [QueueBits-1:0] queue[0:QueueDepth-1];
  logic [2:0] head_q, tail_q;
  logic [3:0] used_q;

  // the last cycle but one, and whether a block has only one: the issuer looks a cycle ahead
  logic [CycleBits-1:0] before_last;
  logic single;
  logic [QueueDepth-1:0] single_q;
  assign before_last = cycles - CycleBits'(2);
  assign single      = cycles == CycleBits'(1);

  always_ff @(posedge clk_i) begin : enqueue
    if (made2_q) single_q[tail_q] <= single;
    if (made2_q)
      queue[tail_q] <= {layer2_q, dense, plain, word2_q[11:0], before_last, narrow, base, address, loops, start, count, param, offset2_q,
                        masks, DrainBits'(espl_pkg::product5(loops, 16'(count)))};
    if (!rst_ni || forget) begin
      head_q   <= '0;
      tail_q   <= '0;
      used_q   <= '0;
      credit_q <= 4'(QueueDepth);
    end else begin
      if (made2_q) tail_q <= tail_q + 1'b1;
      if (pop) head_q <= head_q + 1'b1;
      used_q   <= used_q + 4'(made2_q) - 4'(pop);
      credit_q <= credit_q - 4'(make) + 4'(pop);
    end
  end

  // -- the issuer ------------------------------------------------------------------------------------
  logic head_layer, head_dense, head_plain;
  logic [11:0] head_tap;
  logic [CycleBits-1:0] head_before_last;
  logic [15:0] head_param;
  logic [AddrBits-1:0] head_narrow, head_base, head_address, head_offset;
  logic [4:0] head_loops;
  logic [EntryStartBits-1:0] head_start;
  logic [EntryCountBits-1:0] head_count;
  logic [MaskBits-1:0] head_masks;
  logic [DrainBits-1:0] head_drain;
  assign {head_layer, head_dense, head_plain, head_tap, head_before_last, head_narrow, head_base, head_address, head_loops, head_start, head_count,
          head_param, head_offset, head_masks, head_drain} = queue[head_q];

  logic [CycleBits-1:0] cycle_q;
  logic [DrainBits-1:0] drain_q;  // cycles until the drain takes the next block
  logic [6:0] quiet_q;            // cycles until the pipeline is empty
  logic drained_q, still_q;       // those are 0
  logic at_first, at_last_q, quiet, open, go;
  logic writes_output;

  assign writes_output = word0_q[40:39] == 2'd3;
  assign at_first = cycle_q == '0;
  assign quiet    = drained_q && still_q;
  assign open     = !(head_layer && at_first)
                    || (quiet && (output_free_i || !writes_output) && (running_q || ready_i));
  assign go       = used_q != '0 && open && (!at_last_q || drained_q);
  assign pop      = go && at_last_q;
  assign config_taken = go && head_layer && at_first;

  // the next cycle is its block's last: of this block, the next one, or one that comes in
  logic [2:0] next_head;
  logic alone;  // nothing is queued behind the block that is issued
  assign next_head = head_q + 1'b1;
  assign alone     = pop ? used_q == 4'd1 : used_q == '0;
  always_ff @(posedge clk_i) begin : look_ahead
    if (alone) at_last_q <= single;
    else if (pop) at_last_q <= single_q[next_head];
    else if (go) at_last_q <= cycle_q == head_before_last;
  end

  logic [ConfigBits-1:0] config_q;
  logic release_q;

  always_ff @(posedge clk_i) begin : issue
    if (!rst_ni) begin
      cycle_q   <= '0;
      drain_q   <= '0;
      drained_q <= 1'b1;
      quiet_q   <= '0;
      still_q   <= 1'b1;
      valid_o   <= 1'b0;
      push_o    <= 1'b0;
      done_o    <= 1'b0;
      release_o <= 1'b0;
      release_q <= 1'b0;
      running_q <= 1'b0;
      start_o   <= 1'b0;
    end else begin
      if (go) cycle_q <= at_last_q ? '0 : cycle_q + 1'b1;
      if (pop) drain_q <= head_drain - 1'b1;
      else if (!drained_q) drain_q <= drain_q - 1'b1;
      drained_q <= pop ? head_drain == DrainBits'(1) : drain_q[DrainBits-1:1] == '0;
      if (go || !drained_q) quiet_q <= 7'(Gap);
      else if (!still_q) quiet_q <= quiet_q - 1'b1;
      still_q   <= !go && drained_q && quiet_q[6:1] == '0;
      layer_o   <= config_taken || done_o;
      last_layer_o <= config_taken && layer_last;
      valid_o   <= go;
      push_o    <= pop;
      start_o   <= config_taken && !running_q;
      if (config_taken) running_q <= 1'b1;
      else if (done_o) running_q <= 1'b0;
      done_o    <= running_q && !done_o && walk_q == WalkEnd && used_q == '0 && !made1_q && !made2_q && quiet;
      release_o <= release_q && (config_taken || done_o);
      if (config_taken) release_q <= word0_q[42];
      else if (done_o) release_q <= 1'b0;
    end
    first_o          <= at_first;
    last_o           <= at_last_q;
    narrow_address_o <= head_narrow + (head_plain ? AddrBits'(cycle_q[CycleBits-1:1]) : AddrBits'(cycle_q));
    plain_o          <= head_plain;
    odd_o            <= cycle_q[0];
    tap_o            <= head_tap + 12'(cycle_q);
    base_o           <= head_base + head_address + (head_dense ? AddrBits'(cycle_q) : '0);
    address_o        <= head_address;
    column_masks_o   <= head_masks;
    entry_start_o    <= head_start;
    entry_count_o    <= head_count;
    loops_o          <= head_loops;
    param_o          <= head_param;
    offset_o         <= head_offset;
    if (config_taken) config_q <= {word3_q[39:0], word0_q[46:43], word0_q[40:0]};
  end

  assign running_o = running_q;

  logic [1:0] mode;
  assign mode           = config_q[44:43];
  assign per_split_o    = mode == 2'd1;
  assign dense_o        = mode == 2'd2;
  assign max_o          = config_q[42];
  assign packed_o       = config_q[41];
  assign kind_o         = config_q[40:39];
  assign table_o        = config_q[38];
  assign table_select_o = config_q[37:34];
  assign param_stride_o = config_q[33:32];
  assign pad_o          = config_q[31:24];
  assign zero_o         = config_q[23:16];
  assign low_o          = config_q[15:8];
  assign high_o         = config_q[7:0];
  assign limit0_o       = config_q[45 +: 20];
  assign limit1_o       = config_q[65 +: 20];

endmodule

`default_nettype wire
