// The stream of espl_output keeps the contract (docs/stream.md) for ever.
// SPDX-License-Identifier: Apache-2.0
//
// Each line below is an edit of the module that formal.sh must see refuted.
// mutant: s/^      if (step) begin$/      begin/
// mutant: s/^    if (step) begin$/    begin/
// mutant: s/step      = !out_valid_o || out_ready_i/step      = 1'b1/

`default_nettype none

// A memory that gives anything at any time.
module espl_ram #(
    parameter int unsigned Width = 8,
    parameter int unsigned EnableWidth = 8,
    parameter int unsigned Depth = 2,
    parameter int unsigned OutputRegister = 0,
    localparam int unsigned AddressWidth = espl_pkg::index_bits(Depth)
) (
    input  wire logic                         clk_i,
    input  wire logic [Width/EnableWidth-1:0] write_i,
    input  wire logic [AddressWidth-1:0]      write_address_i,
    input  wire logic [Width-1:0]             write_data_i,
    input  wire logic [AddressWidth-1:0]      read_address_i,
    output      logic [Width-1:0]             read_data_o
);
  (* anyseq *) logic [Width-1:0] anything;
  assign read_data_o = anything;
endmodule

module tb (
    input wire logic        clk,
    input wire logic        write,
    input wire logic [15:0] enable_even,
    input wire logic [15:0] enable_odd,
    input wire logic        even_address,
    input wire logic        odd_address,
    input wire logic [127:0] data,
    input wire logic        start,
    input wire logic [15:0] beats,
    input wire logic        out_ready
);

  logic rst_n = 1'b0;
  always_ff @(posedge clk) rst_n <= 1'b1;

  logic free, out_valid, out_last;
  logic [63:0] out_data;

  espl_output #(
      .Lanes(16),
      .OutputDepth(4)
  ) u_output (
      .clk_i(clk),
      .rst_ni(rst_n),
      .write_i(write),
      .enable_even_i(enable_even),
      .enable_odd_i(enable_odd),
      .even_address_i(even_address),
      .odd_address_i(odd_address),
      .data_i(data),
      .start_i(start),
      .beats_i(beats),
      .free_o(free),
      .out_valid_o(out_valid),
      .out_ready_i(out_ready),
      .out_data_o(out_data),
      .out_last_o(out_last)
  );

  logic out_waits_q;
  logic [64:0] beat_q;
  always_ff @(posedge clk) begin : history
    out_waits_q <= rst_n && out_valid && !out_ready;
    beat_q      <= {out_data, out_last};
  end

  always_ff @(posedge clk) begin : contract
    if (rst_n) begin
      assert (!out_waits_q || out_valid);
      assert (!out_waits_q || {out_data, out_last} == beat_q);
      assert (!(free && out_valid));
    end
  end

endmodule

`default_nettype wire
