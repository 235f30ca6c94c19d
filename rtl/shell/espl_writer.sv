// espl_writer: puts a step's bytes where the next layer will read them.
// SPDX-License-Identifier: Apache-2.0
//
// Computes   picks and packs bytes by the step's pattern, then writes them at a
//            byte address of the wide memories named by a mask, or of the output
//            memory, or as elements of the vector in the narrow memories.
// Contract   bytes, pattern, place and step_i come together; the write ports are valid
//            three cycles later. Pattern word: {valid Requantizers, select Requantizers * log2}.
// Latency    3 cycles.  Throughput 1.
// Cost       Requantizers * 8 * (Requantizers : 1 + Lanes rotation) multiplexers.

`default_nettype none

module espl_writer #(
    parameter int unsigned Lanes = 16,
    parameter int unsigned Splits = 16,
    parameter int unsigned Requantizers = 16,
    parameter int unsigned WideDepth = 1024,
    parameter int unsigned OutputDepth = 64,
    parameter int unsigned NarrowDepth = 2048,
    localparam int unsigned SelectBits = espl_pkg::index_bits(Requantizers),
    localparam int unsigned PatternWordBits = Requantizers * (SelectBits + 1),
    localparam int unsigned AddrBits = espl_pkg::AddrBits,
    localparam int unsigned ShiftBits = espl_pkg::index_bits(Lanes),
    localparam int unsigned BankBits = espl_pkg::index_bits(WideDepth / 2),
    localparam int unsigned OutputBankBits = espl_pkg::index_bits(OutputDepth / 2),
    localparam int unsigned NarrowAddressBits = espl_pkg::index_bits(NarrowDepth)
) (
    input wire logic clk_i,

    input wire logic                       step_i,
    input wire logic [1:0]                 kind_i,
    input wire logic [8*Requantizers-1:0]  bytes_i,
    input wire logic [PatternWordBits-1:0] pattern_i,
    input wire logic [AddrBits-1:0]        dest_i,
    input wire logic [AddrBits-1:0]        offset_i,
    input wire logic [15:0]                mask_i,

    output logic                      wide_o,      // a write to wide memories
    output logic [Splits-1:0]         wide_splits_o,
    output logic [Lanes-1:0]          enable_even_o,
    output logic [Lanes-1:0]          enable_odd_o,
    output logic [BankBits-1:0]       even_address_o,
    output logic [BankBits-1:0]       odd_address_o,
    output logic [8*Lanes-1:0]        data_o,
    output logic                      output_o,    // the same to the output memory
    output logic [OutputBankBits-1:0] output_even_address_o,
    output logic [OutputBankBits-1:0] output_odd_address_o,
    output logic                      vector_o,    // elements
    output logic [Splits-1:0]         vector_splits_o,
    output logic [NarrowAddressBits-1:0] vector_address_o,
    output logic [8*Splits-1:0]       vector_data_o
);

  localparam int unsigned SplitBits = espl_pkg::index_bits(Splits);

  // stage 10: pick
  logic [8*Requantizers-1:0] picked_q;
  logic [Requantizers-1:0] valid_q;
  logic [AddrBits-1:0] address10_q;
  logic [Splits-1:0] mask10_q;
  logic step10_q;

  always_ff @(posedge clk_i) begin : pick
    for (int unsigned r = 0; r < Requantizers; r++) begin
      if (Requantizers == 1) picked_q <= bytes_i;
      else picked_q[8*r +: 8] <= bytes_i[8*pattern_i[SelectBits*r +: SelectBits] +: 8];
    end
    valid_q     <= step_i ? pattern_i[PatternWordBits-1 -: Requantizers] : '0;
    address10_q <= dest_i + offset_i;
    mask10_q    <= mask_i[Splits-1:0];
    step10_q    <= step_i && mask_i != '0;  // a record without splits writes nothing
  end

  // stage 11: rotate into the word and the one after it
  logic [ShiftBits-1:0] shift;
  logic [8*Lanes-1:0] spread, rotated, data11_q;
  logic [Lanes-1:0] enables, rotated_enables, enable_word, enable_next;
  logic [Lanes-1:0] even11_q, odd11_q;
  logic [AddrBits-ShiftBits-1:0] word, next_word, even11_address_q, odd11_address_q;
  logic [AddrBits-1:0] element11_q;
  logic [8*Requantizers-1:0] picked11_q;
  logic [Splits-1:0] mask11_q;
  logic step11_q;

  assign shift     = address10_q[ShiftBits-1:0];
  assign word      = address10_q[AddrBits-1:ShiftBits];
  assign next_word = word + 1'b1;

  always_comb begin : rotate
    spread          = '0;
    enables         = '0;
    spread[8*Requantizers-1:0] = picked_q;
    enables[Requantizers-1:0]  = valid_q;
    rotated         = spread;
    rotated_enables = enables;
    for (int unsigned k = 0; k < ShiftBits; k++) begin
      if (shift[k]) begin
        rotated         = (rotated << (8 << k)) | (rotated >> (8 * Lanes - (8 << k)));
        rotated_enables = (rotated_enables << (1 << k)) | (rotated_enables >> (Lanes - (1 << k)));
      end
    end
    for (int unsigned j = 0; j < Lanes; j++) begin
      enable_word[j] = rotated_enables[j] && ShiftBits'(j) >= shift;
      enable_next[j] = rotated_enables[j] && ShiftBits'(j) < shift;
    end
  end

  always_ff @(posedge clk_i) begin : place
    data11_q         <= rotated;
    even11_q         <= word[0] ? enable_next : enable_word;
    odd11_q          <= word[0] ? enable_word : enable_next;
    even11_address_q <= (word[0] ? next_word : word) >> 1;
    odd11_address_q  <= word >> 1;
    element11_q      <= address10_q;
    picked11_q       <= picked_q;
    mask11_q         <= mask10_q;
    step11_q         <= step10_q && valid_q[0];
  end

  // stage 12: to whom
  logic [SplitBits-1:0] element_split;
  logic [AddrBits-1:0] element_slot;
  if (Splits == 1) begin : gen_one
    assign element_split = '0;
    assign element_slot  = element11_q;
  end else begin : gen_more
    assign element_split = element11_q[SplitBits-1:0];
    assign element_slot  = element11_q >> SplitBits;
  end

  always_ff @(posedge clk_i) begin : direct
    wide_o                <= step11_q && kind_i == 2'd0;
    wide_splits_o         <= mask11_q;
    output_o              <= step11_q && kind_i == 2'd3;
    vector_o              <= step11_q && (kind_i == 2'd1 || kind_i == 2'd2);
    enable_even_o         <= even11_q;
    enable_odd_o          <= odd11_q;
    data_o                <= data11_q;
    even_address_o        <= BankBits'(even11_address_q);
    odd_address_o         <= BankBits'(odd11_address_q);
    output_even_address_o <= even11_address_q[OutputBankBits-1:0];
    output_odd_address_o  <= odd11_address_q[OutputBankBits-1:0];
    vector_address_o      <= element_slot[NarrowAddressBits-1:0];
    for (int unsigned s = 0; s < Splits; s++) begin
      if (kind_i == 2'd2) begin
        // Requantizers elements at an aligned place
        vector_splits_o[s]      <= s / Requantizers == 32'(element_split) / Requantizers;
        vector_data_o[8*s +: 8] <= picked11_q[8*(s%Requantizers) +: 8];
      end else begin
        vector_splits_o[s]      <= SplitBits'(s) == element_split;
        vector_data_o[8*s +: 8] <= picked11_q[7:0];
      end
    end
  end

  logic unused;
  assign unused = &{1'b0, mask_i, even11_address_q, odd11_address_q, element_slot};

endmodule

`default_nettype wire
