// espl_output: the result's memory, and its way out, 8 bytes a beat.
// SPDX-License-Identifier: Apache-2.0
//
// Contract   after start_i beats_i beats follow, the last with tlast; beat k is read k + 1
//            cycles after start_i at the earliest, and must be written by then. free_o is 1
//            when nothing waits to leave; a result's first write waits for that.
// Latency    3 cycles from start_i to the first beat.  Throughput 1 beat a cycle.
// Cost       OutputDepth words of Lanes bytes in block RAM, about 200 LUT4.

`default_nettype none
`include "espl_assert.svh"

module espl_output #(
    parameter int unsigned Lanes = 16,        // multiple of 8
    parameter int unsigned OutputDepth = 64,  // words of Lanes bytes, even
    localparam int unsigned BankBits = espl_pkg::index_bits(OutputDepth / 2)
) (
    input  wire logic                clk_i,
    input  wire logic                rst_ni,
    input  wire logic                write_i,
    input  wire logic [Lanes-1:0]    enable_even_i,
    input  wire logic [Lanes-1:0]    enable_odd_i,
    input  wire logic [BankBits-1:0] even_address_i,
    input  wire logic [BankBits-1:0] odd_address_i,
    input  wire logic [8*Lanes-1:0]  data_i,

    input  wire logic        start_i,
    input  wire logic [15:0] beats_i,
    output      logic        free_o,

    output      logic        out_valid_o,
    input  wire logic        out_ready_i,
    output      logic [63:0] out_data_o,
    output      logic        out_last_o
);

  localparam int unsigned Parts = Lanes / 8;  // beats of a word
  localparam int unsigned PartBits = espl_pkg::index_bits(Parts);
  `ESPL_STATIC(lanes_fill_beats, Lanes == 8 * (Lanes / 8))

  // 16 bits count a result's beats; the read address follows them
  logic [15:0] left_q, sent_q;
  logic [15:0] word, word_q, read_word;
  logic [8*Lanes-1:0] even, odd, chosen;
  logic reading_q, ready1_q, odd1_q, last1_q;
  logic [PartBits-1:0] part1_q;

  // reads run one beat ahead: the memory's output is used in the next cycle
  logic step;
  assign step      = !out_valid_o || out_ready_i;
  assign word      = 16'(32'(sent_q) / Parts);
  assign read_word = step ? word : word_q;  // a stall reads the same word again

  espl_ram #(
      .Width(8 * Lanes),
      .EnableWidth(8),
      .Depth(OutputDepth / 2),
      .OutputRegister(0)
  ) u_even (
      .clk_i,
      .write_i(enable_even_i & {Lanes{write_i}}),
      .write_address_i(even_address_i),
      .write_data_i(data_i),
      .read_address_i(read_word[BankBits:1]),
      .read_data_o(even)
  );
  espl_ram #(
      .Width(8 * Lanes),
      .EnableWidth(8),
      .Depth(OutputDepth / 2),
      .OutputRegister(0)
  ) u_odd (
      .clk_i,
      .write_i(enable_odd_i & {Lanes{write_i}}),
      .write_address_i(odd_address_i),
      .write_data_i(data_i),
      .read_address_i(read_word[BankBits:1]),
      .read_data_o(odd)
  );

  assign chosen = odd1_q ? odd : even;
  assign free_o = left_q == '0 && !reading_q && !ready1_q && !out_valid_o;

  always_ff @(posedge clk_i) begin : stream
    if (!rst_ni) begin
      left_q      <= '0;
      ready1_q    <= 1'b0;
      reading_q   <= 1'b0;
      out_valid_o <= 1'b0;
    end else begin
      reading_q <= start_i;
      if (start_i) begin
        left_q <= beats_i;
        sent_q <= '0;
      end else if (step && left_q != '0) begin
        left_q <= left_q - 1'b1;
        sent_q <= sent_q + 1'b1;
      end
      if (step) begin
        ready1_q    <= left_q != '0;
        out_valid_o <= ready1_q;
      end
    end
    if (step) begin
      word_q     <= word;
      odd1_q     <= word[0];
      part1_q    <= PartBits'(32'(sent_q) % Parts);
      last1_q    <= left_q == 16'd1;
      out_data_o <= chosen[64*(32'(part1_q) % Parts) +: 64];
      out_last_o <= last1_q;
    end
  end

  logic unused;
  assign unused = &{1'b0, read_word, part1_q};

endmodule

`default_nettype wire
