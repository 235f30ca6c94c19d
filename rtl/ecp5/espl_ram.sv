// espl_ram: one write port, one read port; on ECP5's block RAMs and LUT RAMs.
// SPDX-License-Identifier: Apache-2.0
//
// Contract   as rtl/memory/espl_ram.sv. The second register of a read is the block
//            RAM's own, which Yosys does not infer: after synthesis the flow sets
//            REGMODE_A and REGMODE_B of every DP16KD in an espl_ram_row to OUTREG (boards/ecp5). Until then such a row answers a
//            cycle early, so this file is for that flow only.
// How        A memory is cut into rows that are one DP16KD deep, so that the choice
//            between rows comes after the output registers.
// Cost       the least of ceil(Width / 36) * ceil(Depth / 512), ceil(Width / 18) *
//            ceil(Depth / 1024) and so on; small ones are LUT RAM.

`default_nettype none

module espl_ram #(
    parameter int unsigned Width = 8,
    parameter int unsigned EnableWidth = Width,
    parameter int unsigned Depth = 16,
    parameter int unsigned OutputRegister = 1,
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

  // block RAMs of a shape with `bits` a word; a byte with an enable of its own takes nine
  function automatic int unsigned blocks(input int unsigned bits, input int unsigned depth);
    blocks = (((EnableWidth == 8) ? 9 * Enables : Width) + bits - 1) / bits * ((Depth + depth - 1) / depth);
  endfunction
  localparam int unsigned Deep36 = 512;
  localparam int unsigned Deep18 = (blocks(18, 1024) <= blocks(36, 512)) ? 1024 : Deep36;
  localparam int unsigned Least18 = (Deep18 == 1024) ? blocks(18, 1024) : blocks(36, 512);
  localparam int unsigned Deep9 = (blocks(9, 2048) <= Least18) ? 2048 : Deep18;
  localparam int unsigned Least9 = (Deep9 == 2048) ? blocks(9, 2048) : Least18;
  localparam int unsigned Deep4 = (EnableWidth != 8 && blocks(4, 4096) <= Least9) ? 4096 : Deep9;
  localparam int unsigned RowDepth = (Depth < Deep4) ? Depth : Deep4;
  localparam int unsigned RowBits = espl_pkg::index_bits(RowDepth);
  localparam int unsigned Rows = (Depth + RowDepth - 1) / RowDepth;

  localparam bit Small = Depth <= 128 && Width * Depth <= 8192;
  // contents from one file cannot be dealt to rows; what has no second register needs none
  localparam bit Plain = Small || OutputRegister == 0 || (InitFile != "" && Rows > 1);

  if (Plain) begin : gen_plain
    (* ram_style = Small ? "distributed" : "block", no_rw_check *)
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
    always_ff @(posedge clk_i) read_q <= words[read_address_i];
    if (OutputRegister != 0) begin : gen_register
      logic [Width-1:0] data_q;
      always_ff @(posedge clk_i) data_q <= read_q;
      assign read_data_o = data_q;
    end else begin : gen_direct
      assign read_data_o = read_q;
    end
  end else if (Rows == 1) begin : gen_one
    espl_ram_row #(
        .Width(Width),
        .EnableWidth(EnableWidth),
        .Depth(Depth),
        .InitFile(InitFile)
    ) u_row (
        .clk_i,
        .write_i,
        .write_address_i,
        .write_data_i,
        .read_address_i,
        .read_data_o
    );
  end else begin : gen_rows
    localparam int unsigned HighBits = AddressWidth - RowBits;
    logic [Width*Rows-1:0] data;
    logic [HighBits-1:0] high_q, high2_q;
    for (genvar r = 0; r < Rows; r++) begin : gen_row
      espl_ram_row #(
          .Width(Width),
          .EnableWidth(EnableWidth),
          .Depth(RowDepth)
      ) u_row (
          .clk_i,
          .write_i(write_i & {Enables{write_address_i[AddressWidth-1:RowBits] == HighBits'(r)}}),
          .write_address_i(write_address_i[RowBits-1:0]),
          .write_data_i,
          .read_address_i(read_address_i[RowBits-1:0]),
          .read_data_o(data[Width*r +: Width])
      );
    end
    always_ff @(posedge clk_i) begin : follow
      high_q  <= read_address_i[AddressWidth-1:RowBits];
      high2_q <= high_q;
    end
    always_comb begin : choose
      read_data_o = data[Width-1:0];
      for (int unsigned r = 1; r < Rows; r++) begin
        if (high2_q == HighBits'(r)) read_data_o = data[Width*r +: Width];
      end
    end
  end

endmodule

`default_nettype wire
