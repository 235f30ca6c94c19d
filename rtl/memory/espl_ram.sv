// espl_ram: one write port, one read port, read latency of 1 or 2 cycles.
// SPDX-License-Identifier: Apache-2.0
//
// Contract   a read of the address written in the same cycle gives an
//            undefined value; the compiler's program never does that.
// Latency    1 cycle, 2 with OutputRegister.  Throughput 1 read and 1 write.
// Cost       ceil(Width / 36) * ceil(Depth / 512) DP16KD on ECP5 and alike.

`default_nettype none

module espl_ram #(
    parameter int unsigned Width = 8,           // bits of a word
    parameter int unsigned EnableWidth = Width, // bits per write enable
    parameter int unsigned Depth = 16,          // words
    parameter int unsigned OutputRegister = 1,  // 0 or 1
    parameter InitFile = "",                    // $readmemh, "" for none
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
  logic [Width-1:0] read_q;

  if (InitFile != "") begin : gen_init
    initial $readmemh(InitFile, words);
  end

  always_ff @(posedge clk_i) begin : write
    for (int unsigned e = 0; e < Enables; e++) begin
      if (write_i[e])
        words[write_address_i][e*EnableWidth +: EnableWidth] <= write_data_i[e*EnableWidth +: EnableWidth];
    end
  end

  always_ff @(posedge clk_i) begin : read
    read_q <= words[read_address_i];
  end

  if (OutputRegister != 0) begin : gen_register
    logic [Width-1:0] data_q;
    always_ff @(posedge clk_i) data_q <= read_q;
    assign read_data_o = data_q;
  end else begin : gen_direct
    assign read_data_o = read_q;
  end

endmodule

`default_nettype wire
