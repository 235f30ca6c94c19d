// The write side of espl_loader keeps the stream contract (docs/stream.md) for ever.
// SPDX-License-Identifier: Apache-2.0
//
// Each line below is an edit of the module that formal.sh must see refuted.
// mutant: s/!(write_o && !taken_i) && //
// mutant: s/if (write_o && taken_i) begin/if (write_o) begin/
// mutant: s/if (complete) begin$/if (complete || (in_valid_i \&\& !in_ready_o)) begin/

`default_nettype none

module tb (
    input wire logic        clk,
    input wire logic        in_valid,
    input wire logic [63:0] in_data,
    input wire logic        in_last,
    input wire logic        input_free,
    input wire logic        taken
);

  logic rst_n = 1'b0;
  always_ff @(posedge clk) rst_n <= 1'b1;

  logic in_ready, write;
  logic [4:0] memory;
  logic [15:0] splits;
  logic [23:0] address;
  logic [255:0] data;

  espl_loader #(
      .Lanes(16),
      .Splits(8),
      .Requantizers(8)
  ) u_loader (
      .clk_i(clk),
      .rst_ni(rst_n),
      .in_valid_i(in_valid),
      .in_ready_o(in_ready),
      .in_data_i(in_data),
      .in_last_i(in_last),
      .input_free_i(input_free),
      .input_begins_o(),
      .input_done_o(),
      .error_o(),
      .write_o(write),
      .taken_i(taken),
      .memory_o(memory),
      .splits_o(splits),
      .address_o(address),
      .data_o(data)
  );

  // what was offered and not taken, on both sides
  logic in_waits_q, write_waits_q, in_last_q;
  logic [63:0] in_data_q;
  logic [300:0] word, word_q;
  assign word = {memory, splits, address, data};
  always_ff @(posedge clk) begin : history
    in_waits_q    <= rst_n && in_valid && !in_ready;
    in_data_q     <= in_data;
    in_last_q     <= in_last;
    write_waits_q <= rst_n && write && !taken;
    word_q        <= word;
  end

  always_ff @(posedge clk) begin : contract
    if (rst_n) begin
      assume (!in_waits_q || in_valid);
      assume (!in_waits_q || {in_data, in_last} == {in_data_q, in_last_q});
      assert (!write_waits_q || write);
      assert (!write_waits_q || word == word_q);
      // nothing is read while a word waits: the next one could not be kept
      assert (!(write && !taken && in_ready));
    end
  end

endmodule

`default_nettype wire
