// espl_gather: W neighbouring bytes at any alignment, out of two words, masked.
// SPDX-License-Identifier: Apache-2.0
//
// Computes   lane l = byte (shift + l) of {next word, word}, where the word
//            with an even address is even_i and the other odd_i; a lane whose
//            valid bit is 0 gets its byte of other_i.
// Latency    3 cycles to the rotated word (merge, rotate by 0..3, by 4, 8, ..);
//            the mask is applied without a register, with valid_i and other_i
//            three cycles later than the rest.
// Cost       about Lanes * 8 * 6 LUT4 with 16 lanes.

`default_nettype none

module espl_gather #(
    parameter int unsigned Lanes = 16,  // power of two
    localparam int unsigned ShiftBits = espl_pkg::index_bits(Lanes)
) (
    input  wire logic                 clk_i,
    input  wire logic [8*Lanes-1:0]   even_i,
    input  wire logic [8*Lanes-1:0]   odd_i,
    input  wire logic                 odd_first_i,  // the word's address is odd
    input  wire logic [ShiftBits-1:0] shift_i,
    input  wire logic [Lanes-1:0]     valid_i,
    input  wire logic [8*Lanes-1:0]   other_i,
    output      logic [8*Lanes-1:0]   lanes_o
);

  localparam int unsigned FineBits = ShiftBits < 2 ? ShiftBits : 2;

  logic [8*Lanes-1:0] merged_q, fine_q, rotated_q;
  logic [ShiftBits-1:0] shift_q, shift2_q;

  always_ff @(posedge clk_i) begin : merge
    for (int unsigned j = 0; j < Lanes; j++) begin
      // bytes below the shift come from the next word
      if (odd_first_i != (ShiftBits'(j) < shift_i)) merged_q[8*j +: 8] <= odd_i[8*j +: 8];
      else merged_q[8*j +: 8] <= even_i[8*j +: 8];
    end
    shift_q <= shift_i;
  end

  logic [8*Lanes-1:0] fine, rotated;
  always_comb begin : rotate
    fine    = merged_q;
    rotated = fine_q;
    for (int unsigned k = 0; k < ShiftBits; k++) begin
      if (k < FineBits) begin
        if (shift_q[k]) fine = (fine >> (8 << k)) | (fine << (8 * Lanes - (8 << k)));
      end else begin
        if (shift2_q[k]) rotated = (rotated >> (8 << k)) | (rotated << (8 * Lanes - (8 << k)));
      end
    end
  end

  always_ff @(posedge clk_i) begin : steps
    fine_q    <= fine;
    shift2_q  <= shift_q;
    rotated_q <= rotated;
  end

  always_comb begin : mask
    for (int unsigned l = 0; l < Lanes; l++) begin
      lanes_o[8*l +: 8] = valid_i[l] ? rotated_q[8*l +: 8] : other_i[8*l +: 8];
    end
  end

endmodule

`default_nettype wire
