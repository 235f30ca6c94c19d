// espl_ram_gated: a small memory whose read gives 0 where no word is wanted.
// SPDX-License-Identifier: Apache-2.0
//
// Computes   read_data_o = read_i ? the word at read_address_i : 0.
// Contract   as espl_ram without an output register; contents from InitFile.
// Latency    1 cycle.  Throughput 1.
// Cost       LUT RAM where a family has it; the gate is the registers' reset.

`default_nettype none

module espl_ram_gated #(
    parameter int unsigned Width = 8,
    parameter int unsigned Depth = 16,
    parameter InitFile = "",
    localparam int unsigned AddressWidth = espl_pkg::index_bits(Depth)
) (
    input  wire logic                    clk_i,
    input  wire logic                    write_i,
    input  wire logic [AddressWidth-1:0] write_address_i,
    input  wire logic [       Width-1:0] write_data_i,
    input  wire logic                    read_i,
    input  wire logic [AddressWidth-1:0] read_address_i,
    output      logic [       Width-1:0] read_data_o
);

  (* ram_style = "distributed", no_rw_check *)
  logic [Width-1:0] words[0:Depth-1];
  if (InitFile != "") begin : gen_init
    initial $readmemh(InitFile, words);
  end

  always_ff @(posedge clk_i) begin : write
    if (write_i) words[write_address_i] <= write_data_i;
  end

  always_ff @(posedge clk_i) begin : read
    if (!read_i) read_data_o <= '0;
    else read_data_o <= words[read_address_i];
  end

endmodule

`default_nettype wire
