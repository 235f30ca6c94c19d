// espl_loader: frames of the input stream become words of the memories.
// SPDX-License-Identifier: Apache-2.0
//
// Contract   a frame is a header beat and `count` words of a memory, each of a whole
//            number of beats, low beat first. Frames marked `input` wait until the
//            place of the input is free; `go` at a frame's end says that the input
//            is complete. tlast may only come with a frame's last beat.
// Latency    2 cycles from a word's last beat to its write.  Throughput 1 beat a cycle;
//            writes to the wide memories and the vector give way to the drain.
//
//   header  {splits 16, count 16, address 24, 0, go, input, memory 5} from the high bits

`default_nettype none

module espl_loader #(
    parameter int unsigned Lanes = 16,
    parameter int unsigned Splits = 16,
    parameter int unsigned Requantizers = 16,
    parameter int unsigned PadMax = 2
) (
    input  wire logic        clk_i,
    input  wire logic        rst_ni,

    input  wire logic        in_valid_i,
    output      logic        in_ready_o,
    input  wire logic [63:0] in_data_i,
    input  wire logic        in_last_i,

    input  wire logic        input_free_i,  // input frames may pass
    output      logic        input_begins_o, // pulse: a frame of the input
    output      logic        input_done_o,  // pulse: the input is complete
    output      logic        error_o,       // pulse: a malformed frame

    output      logic         write_o,
    input  wire logic         taken_i,
    output      logic [4:0]   memory_o,
    output      logic [15:0]  splits_o,
    output      logic [23:0]  address_o,
    output      logic [255:0] data_o
);

  localparam int unsigned SelectBits = espl_pkg::index_bits(Requantizers);

  // index of the last beat of a word
  function automatic logic [1:0] last_beat(input int unsigned bits);
    last_beat = 2'((bits + 63) / 64 - 1);
  endfunction

  localparam logic [1:0] WideLast = last_beat(8 * Lanes);
  localparam logic [1:0] VectorLast = last_beat(8 * Splits);
  localparam logic [1:0] ParamLast = last_beat(espl_pkg::ParamWordBits);
  localparam logic [1:0] BlockLast =
      last_beat(espl_pkg::EntryStartBits + espl_pkg::EntryCountBits + 2 * PadMax * Lanes);
  localparam logic [1:0] PatternLast = last_beat(Requantizers * (SelectBits + 1));

  logic inside_q, go_q, input_q;
  logic [15:0] left_q;
  logic [1:0] beat_q, beats;
  logic [255:0] word_q;
  logic header_waits, taking, complete, done_after_write_q;

  always_comb begin : sizes
    case (memory_o)
      5'(espl_pkg::MemWide):    beats = WideLast;
      5'(espl_pkg::MemVector):  beats = VectorLast;
      5'(espl_pkg::MemParam):   beats = ParamLast;
      5'(espl_pkg::MemBlock):   beats = BlockLast;
      5'(espl_pkg::MemPattern): beats = PatternLast;
      default:                  beats = 2'd0;
    endcase
  end

  // a complete input closes the place two cycles after its last beat
  assign header_waits = in_data_i[5] && (!input_free_i || done_after_write_q || input_done_o);
  assign in_ready_o   = !(write_o && !taken_i) && (inside_q || !header_waits);
  assign taking       = in_valid_i && in_ready_o;
  assign complete     = taking && inside_q && beat_q == beats;

  // the address moves after its word has been written
  logic advance_q;

  always_ff @(posedge clk_i) begin : frames
    if (!rst_ni) begin
      inside_q           <= 1'b0;
      write_o            <= 1'b0;
      done_after_write_q <= 1'b0;
      input_begins_o     <= 1'b0;
      input_done_o       <= 1'b0;
      error_o            <= 1'b0;
    end else begin
      error_o        <= 1'b0;
      input_begins_o <= taking && !inside_q && in_data_i[5];
      input_done_o   <= 1'b0;
      if (write_o && taken_i) begin
        write_o            <= 1'b0;
        input_done_o       <= done_after_write_q;
        done_after_write_q <= 1'b0;
      end
      if (taking && !inside_q) begin
        inside_q <= in_data_i[47:32] != '0;
        error_o  <= in_last_i && in_data_i[47:32] != '0;
        if (in_data_i[47:32] == '0 && in_data_i[6]) input_done_o <= 1'b1;
      end
      if (taking && inside_q) error_o <= in_last_i && !(complete && left_q == 16'd1);
      if (complete) begin
        write_o            <= 1'b1;
        done_after_write_q <= go_q && left_q == 16'd1;
        if (left_q == 16'd1) inside_q <= 1'b0;
      end
    end

    if (taking && !inside_q) begin
      memory_o  <= in_data_i[4:0];
      input_q   <= in_data_i[5];
      go_q      <= in_data_i[6];
      address_o <= in_data_i[31:8];
      left_q    <= in_data_i[47:32];
      splits_o  <= in_data_i[63:48];
      beat_q    <= '0;
      advance_q <= 1'b0;
    end
    if (taking && inside_q) begin
      // each beat's place by itself: a variable place would become a shifter
      for (int unsigned b = 0; b < 4; b++)
        if (beat_q == 2'(b)) word_q[64*b +: 64] <= in_data_i;
      beat_q <= complete ? '0 : beat_q + 1'b1;
    end
    if (complete) begin
      left_q    <= left_q - 1'b1;
      advance_q <= 1'b1;
      if (advance_q) address_o <= address_o + 1'b1;
    end
  end

  assign data_o = word_q;

  logic unused;
  assign unused = &{1'b0, input_q, in_data_i[7]};

endmodule

`default_nettype wire
