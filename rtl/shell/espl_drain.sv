// espl_drain: the steps that empty a finished block: which lanes, which record.
// SPDX-License-Identifier: Apache-2.0
//
// Computes   for each loop (split) of the block, for each of its entries, one
//            step: lanes to select, parameter record, pattern, address.
// Contract   start_i pops a descriptor in stage StageDrain of the block's last
//            cycle; a block's steps are consecutive and end before the next
//            block's begin (the issuer sees to it).
// Latency    start to the splits' controls 4 cycles; to the record 5 + Way.
//
//   stage  13 start   14 step, entry address   15,16 entry   17 splits' controls
//          16 + W record's address   18 + W record   (W: stages of the tree but one)

`default_nettype none
`include "espl_assert.svh"

module espl_drain #(
    parameter int unsigned Splits = 16,
    parameter int unsigned EntryDepth = 512,
    parameter int unsigned ParamDepth = 1024,
    parameter EntryFile = "",
    parameter ParamFile = "",
    localparam int unsigned Way = espl_pkg::tree_stages(Splits) - 1,
    localparam int unsigned EntryAddressBits = espl_pkg::index_bits(EntryDepth),
    localparam int unsigned ParamAddressBits = espl_pkg::index_bits(ParamDepth),
    localparam int unsigned AddrBits = espl_pkg::AddrBits
) (
    input wire logic clk_i,
    input wire logic rst_ni,

    // descriptors, pushed when a block's last cycle is issued
    input wire logic                                push_i,
    input wire logic [espl_pkg::EntryStartBits-1:0] entry_start_i,
    input wire logic [espl_pkg::EntryCountBits-1:0] entry_count_i,
    input wire logic [4:0]                          loops_i,
    input wire logic [15:0]                         param_i,
    input wire logic [AddrBits-1:0]                 offset_i,
    input wire logic                                start_i,

    input wire logic                                per_split_i,
    input wire logic [1:0]                          param_stride_i,  // records a loop

    output logic [Splits-1:0] gate_o,   // stage 17
    output logic              shift_o,  // stage 17
    output logic              pass_o,   // stage 17: of one split only,
    output logic [3:0]        index_o,  // and of which
    // stage 18 + Way
    output logic                               step_o,
    output logic [2:0]                         quarter_o,
    output logic [espl_pkg::ParamWordBits-1:0] record_o,
    // stage 18 + Way as well
    output logic                               compute_o,
    output logic                               second_o,
    output logic [espl_pkg::PatternBits-1:0]   pattern_o,
    output logic [AddrBits-1:0]                offset_o,

    input wire logic                              entry_write_i,
    input wire logic [EntryAddressBits-1:0]       entry_address_i,
    input wire logic [espl_pkg::EntryWordBits-1:0] entry_data_i,
    input wire logic                              param_write_i,
    input wire logic [ParamAddressBits-1:0]       param_address_i,
    input wire logic [espl_pkg::ParamWordBits-1:0] param_data_i
);

  localparam int unsigned DescriptorBits =
      espl_pkg::EntryStartBits + espl_pkg::EntryCountBits + 5 + 16 + AddrBits;
  localparam int unsigned FifoDepth = 32;  // blocks between issue and drain: StageDrain at most

  // the queue of descriptors
  logic [DescriptorBits-1:0] fifo[0:FifoDepth-1];
  logic [4:0] head_q, tail_q;
  always_ff @(posedge clk_i) begin : queue
    if (push_i) fifo[tail_q] <= {entry_start_i, entry_count_i, loops_i, param_i, offset_i};
    if (!rst_ni) begin
      head_q <= '0;
      tail_q <= '0;
    end else begin
      if (push_i) tail_q <= tail_q + 1'b1;
      if (start_i) head_q <= head_q + 1'b1;
    end
  end

  logic [espl_pkg::EntryStartBits-1:0] head_entry;
  logic [espl_pkg::EntryCountBits-1:0] head_count;
  logic [4:0] head_loops;
  logic [15:0] head_param;
  logic [AddrBits-1:0] head_offset;
  assign {head_entry, head_count, head_loops, head_param, head_offset} = fifo[head_q];

  // stage 14: the step
  logic busy_q, fresh_q;
  logic [espl_pkg::EntryStartBits-1:0] first_entry_q, entry_q;
  logic [espl_pkg::EntryCountBits-1:0] count_q, left_q;  // left: entries after this one
  logic [4:0] loop_q, loops_left_q;
  logic [15:0] param14_q;
  logic [AddrBits-1:0] offset14_q;

  always_ff @(posedge clk_i) begin : step
    if (!rst_ni) begin
      busy_q <= 1'b0;
    end else if (start_i) begin
      busy_q <= 1'b1;
    end else if (left_q == '0 && loops_left_q == '0) begin
      busy_q <= 1'b0;
    end
    if (start_i) begin
      fresh_q       <= 1'b1;
      first_entry_q <= head_entry;
      entry_q       <= head_entry;
      count_q       <= head_count - 1'b1;
      left_q        <= head_count - 1'b1;
      loop_q        <= '0;
      loops_left_q  <= head_loops - 1'b1;
      param14_q     <= head_param;
      offset14_q    <= head_offset;
    end else begin
      fresh_q <= 1'b0;
      if (left_q == '0) begin
        left_q       <= count_q;
        entry_q      <= first_entry_q;
        loop_q       <= loop_q + 1'b1;
        loops_left_q <= loops_left_q - 1'b1;
      end else begin
        left_q  <= left_q - 1'b1;
        entry_q <= entry_q + 1'b1;
      end
    end
  end

  logic [espl_pkg::EntryWordBits-1:0] entry;
  espl_ram #(
      .Width(espl_pkg::EntryWordBits),
      .Depth(EntryDepth),
      .InitFile(EntryFile)
  ) u_entry (
      .clk_i,
      .write_i(entry_write_i),
      .write_address_i(entry_address_i),
      .write_data_i(entry_data_i),
      .read_address_i(entry_q[EntryAddressBits-1:0]),
      .read_data_o(entry)
  );

  // stages 15 and 16
  logic busy15_q, busy16_q, fresh15_q, fresh16_q, end15_q, end16_q;
  logic [4:0] loop15_q, loop16_q;
  logic [15:0] param15_q, param16_q;
  logic [AddrBits-1:0] offset15_q, offset16_q;
  always_ff @(posedge clk_i) begin : follow
    {busy16_q, busy15_q}     <= {busy15_q, busy_q && rst_ni};
    {fresh16_q, fresh15_q}   <= {fresh15_q, fresh_q};
    {end16_q, end15_q}       <= {end15_q, left_q == '0};
    {loop16_q, loop15_q}     <= {loop15_q, loop_q};
    {param16_q, param15_q}   <= {param15_q, param14_q};
    {offset16_q, offset15_q} <= {offset15_q, offset14_q};
  end

  // Entry: {compute, second, next, shift, quarter 3, pattern 6, offset 17}
  logic compute, second, next, shift;
  logic [2:0] quarter;
  logic [espl_pkg::PatternBits-1:0] pattern;
  logic [AddrBits-1:0] entry_offset;
  assign {compute, second, next, shift, quarter, pattern, entry_offset} = entry;

  // the record: a pointer that moves with `next` and at the end of a loop
  logic [15:0] pointer, pointer_q, record_address;
  assign pointer        = fresh16_q ? param16_q : pointer_q;
  assign record_address = pointer + 16'(second);

  always_ff @(posedge clk_i) begin : controls
    for (int unsigned s = 0; s < Splits; s++)
      gate_o[s] <= busy16_q && (!per_split_i || loop16_q == 5'(s));
    shift_o   <= shift;
    pass_o    <= per_split_i;
    index_o   <= loop16_q[3:0];
    pointer_q <= pointer + (end16_q ? 16'(param_stride_i) : '0) + 16'(next);
  end

  // from stage 16 to the record, past the tree
  localparam int unsigned StepBits = 1 + 3 + 1 + 1 + espl_pkg::PatternBits + AddrBits;
  logic [StepBits*(Way+2)-1:0] steps_q;
  logic [15:0] delayed_address;  // its high bits only with a larger ParamDepth


  if (Way == 0) begin : gen_direct
    assign delayed_address = record_address;
  end else begin : gen_delay
    logic [16*Way-1:0] address_q;
    if (Way == 1) begin : gen_one
      always_ff @(posedge clk_i) address_q <= record_address;
    end else begin : gen_more
      always_ff @(posedge clk_i) address_q <= {address_q[16*(Way-1)-1:0], record_address};
    end
    assign delayed_address = address_q[16*(Way-1) +: 16];
  end

  always_ff @(posedge clk_i) begin : delay
    steps_q <= {steps_q[StepBits*(Way+1)-1:0],
                busy16_q, quarter, busy16_q && compute, second, pattern, entry_offset + offset16_q};
  end
  assign {step_o, quarter_o, compute_o, second_o, pattern_o, offset_o} =
      steps_q[StepBits*(Way+1) +: StepBits];

  espl_ram #(
      .Width(espl_pkg::ParamWordBits),
      .Depth(ParamDepth),
      .InitFile(ParamFile)
  ) u_param (
      .clk_i,
      .write_i(param_write_i),
      .write_address_i(param_address_i),
      .write_data_i(param_data_i),
      .read_address_i(delayed_address[ParamAddressBits-1:0]),
      .read_data_o(record_o)
  );

  logic unused;
  assign unused = &{1'b0, delayed_address, entry_q};

`ifndef SYNTHESIS
  `ESPL_ASSERT(blocks_do_not_overlap, !start_i || !busy_q || (left_q == '0 && loops_left_q == '0))
  `ESPL_ASSERT(a_descriptor_is_there, !start_i || head_q != tail_q)
`endif

endmodule

`default_nettype wire
