// espl_ram_row: words that one row of DP16KD holds, read through its registers.
// SPDX-License-Identifier: Apache-2.0
//
// Contract   as espl_ram with OutputRegister, once the flow has set REGMODE_A and
//            REGMODE_B of its DP16KD to OUTREG; a cycle early before that.

`default_nettype none

(* keep_hierarchy *)
module espl_ram_row #(
    parameter int unsigned Width = 8,
    parameter int unsigned EnableWidth = Width,
    parameter int unsigned Depth = 512,
    parameter InitFile = "",
    localparam int unsigned AddressWidth = espl_pkg::index_bits(Depth),
    localparam int unsigned Enables = Width / EnableWidth
) (
    input  wire logic                    clk_i,
    input  wire logic [     Enables-1:0] write_i,
    input  wire logic [AddressWidth-1:0] write_address_i,
    input  wire logic [       Width-1:0] write_data_i,
    input  wire logic [AddressWidth-1:0] read_address_i,
    output      logic [       Width-1:0] read_data_o
);

  (* ram_style = "block", no_rw_check *)
  logic [Width-1:0] words[0:Depth-1];

  if (InitFile != "") begin : gen_init
    initial $readmemh(InitFile, words);
  end

  always_ff @(posedge clk_i) begin : write
    for (int unsigned e = 0; e < Enables; e++) begin
      if (write_i[e])
        words[write_address_i][e*EnableWidth +: EnableWidth] <= write_data_i[e*EnableWidth +: EnableWidth];
    end
  end

  // the second register is the block RAM's own
  always_ff @(posedge clk_i) read_data_o <= words[read_address_i];

endmodule

`default_nettype wire
