// DP16KD: what the ECP5's block RAM does, for simulation only.
// SPDX-License-Identifier: Apache-2.0
//
// Models     two ports of 1, 2, 4, 9 or 18 bits, byte enables on ADx1..0 at 18; port A
//            writing 36 bits (DIB above DIA, enables on ADA3..0) and port B reading 36 (DOB
//            above DOA); the three write modes, output registers, resets, initial contents.
//            Bit b of word a lies at a * Width + b of 1024 * 18 bits; with 1, 2 and 4 bits
//            every ninth is left out. A read of what the other port writes gives the old word.
// Leaves out chip selects other than 0, writes of 36 bits through port B, GSR.

`default_nettype none

module DP16KD #(
    parameter int DATA_WIDTH_A = 18,
    parameter int DATA_WIDTH_B = 18,
    parameter REGMODE_A = "NOREG",
    parameter REGMODE_B = "NOREG",
    parameter RESETMODE = "SYNC",
    parameter ASYNC_RESET_RELEASE = "SYNC",
    parameter CSDECODE_A = "0b000",
    parameter CSDECODE_B = "0b000",
    parameter WRITEMODE_A = "NORMAL",
    parameter WRITEMODE_B = "NORMAL",
    parameter CLKAMUX = "CLKA",
    parameter CLKBMUX = "CLKB",
    parameter int WID = 0,
    parameter GSR = "ENABLED",
    parameter [319:0] INITVAL_00 = '0, parameter [319:0] INITVAL_01 = '0,
    parameter [319:0] INITVAL_02 = '0, parameter [319:0] INITVAL_03 = '0,
    parameter [319:0] INITVAL_04 = '0, parameter [319:0] INITVAL_05 = '0,
    parameter [319:0] INITVAL_06 = '0, parameter [319:0] INITVAL_07 = '0,
    parameter [319:0] INITVAL_08 = '0, parameter [319:0] INITVAL_09 = '0,
    parameter [319:0] INITVAL_0A = '0, parameter [319:0] INITVAL_0B = '0,
    parameter [319:0] INITVAL_0C = '0, parameter [319:0] INITVAL_0D = '0,
    parameter [319:0] INITVAL_0E = '0, parameter [319:0] INITVAL_0F = '0,
    parameter [319:0] INITVAL_10 = '0, parameter [319:0] INITVAL_11 = '0,
    parameter [319:0] INITVAL_12 = '0, parameter [319:0] INITVAL_13 = '0,
    parameter [319:0] INITVAL_14 = '0, parameter [319:0] INITVAL_15 = '0,
    parameter [319:0] INITVAL_16 = '0, parameter [319:0] INITVAL_17 = '0,
    parameter [319:0] INITVAL_18 = '0, parameter [319:0] INITVAL_19 = '0,
    parameter [319:0] INITVAL_1A = '0, parameter [319:0] INITVAL_1B = '0,
    parameter [319:0] INITVAL_1C = '0, parameter [319:0] INITVAL_1D = '0,
    parameter [319:0] INITVAL_1E = '0, parameter [319:0] INITVAL_1F = '0,
    parameter [319:0] INITVAL_20 = '0, parameter [319:0] INITVAL_21 = '0,
    parameter [319:0] INITVAL_22 = '0, parameter [319:0] INITVAL_23 = '0,
    parameter [319:0] INITVAL_24 = '0, parameter [319:0] INITVAL_25 = '0,
    parameter [319:0] INITVAL_26 = '0, parameter [319:0] INITVAL_27 = '0,
    parameter [319:0] INITVAL_28 = '0, parameter [319:0] INITVAL_29 = '0,
    parameter [319:0] INITVAL_2A = '0, parameter [319:0] INITVAL_2B = '0,
    parameter [319:0] INITVAL_2C = '0, parameter [319:0] INITVAL_2D = '0,
    parameter [319:0] INITVAL_2E = '0, parameter [319:0] INITVAL_2F = '0,
    parameter [319:0] INITVAL_30 = '0, parameter [319:0] INITVAL_31 = '0,
    parameter [319:0] INITVAL_32 = '0, parameter [319:0] INITVAL_33 = '0,
    parameter [319:0] INITVAL_34 = '0, parameter [319:0] INITVAL_35 = '0,
    parameter [319:0] INITVAL_36 = '0, parameter [319:0] INITVAL_37 = '0,
    parameter [319:0] INITVAL_38 = '0, parameter [319:0] INITVAL_39 = '0,
    parameter [319:0] INITVAL_3A = '0, parameter [319:0] INITVAL_3B = '0,
    parameter [319:0] INITVAL_3C = '0, parameter [319:0] INITVAL_3D = '0,
    parameter [319:0] INITVAL_3E = '0, parameter [319:0] INITVAL_3F = '0,
    parameter INIT_DATA = "STATIC"
) (
    input wire DIA17, DIA16, DIA15, DIA14, DIA13, DIA12, DIA11, DIA10, DIA9, DIA8, DIA7, DIA6,
      DIA5, DIA4, DIA3, DIA2, DIA1, DIA0,
    input wire ADA13, ADA12, ADA11, ADA10, ADA9, ADA8, ADA7, ADA6, ADA5, ADA4, ADA3, ADA2,
      ADA1, ADA0,
    input wire CEA, OCEA, CLKA, WEA, RSTA, CSA2, CSA1, CSA0,
    output wire DOA17, DOA16, DOA15, DOA14, DOA13, DOA12, DOA11, DOA10, DOA9, DOA8, DOA7, DOA6,
      DOA5, DOA4, DOA3, DOA2, DOA1, DOA0,
    input wire DIB17, DIB16, DIB15, DIB14, DIB13, DIB12, DIB11, DIB10, DIB9, DIB8, DIB7, DIB6,
      DIB5, DIB4, DIB3, DIB2, DIB1, DIB0,
    input wire ADB13, ADB12, ADB11, ADB10, ADB9, ADB8, ADB7, ADB6, ADB5, ADB4, ADB3, ADB2,
      ADB1, ADB0,
    input wire CEB, OCEB, CLKB, WEB, RSTB, CSB2, CSB1, CSB0,
    output wire DOB17, DOB16, DOB15, DOB14, DOB13, DOB12, DOB11, DOB10, DOB9, DOB8, DOB7, DOB6,
      DOB5, DOB4, DOB3, DOB2, DOB1, DOB0
);

  wire [17:0] write_a;
  wire [13:0] address_a;
  assign write_a = {DIA17, DIA16, DIA15, DIA14, DIA13, DIA12, DIA11, DIA10, DIA9, DIA8, DIA7, DIA6,
      DIA5, DIA4, DIA3, DIA2, DIA1, DIA0};
  assign address_a = {ADA13, ADA12, ADA11, ADA10, ADA9, ADA8, ADA7, ADA6, ADA5, ADA4, ADA3, ADA2,
      ADA1, ADA0};
  wire [17:0] write_b;
  wire [13:0] address_b;
  assign write_b = {DIB17, DIB16, DIB15, DIB14, DIB13, DIB12, DIB11, DIB10, DIB9, DIB8, DIB7, DIB6,
      DIB5, DIB4, DIB3, DIB2, DIB1, DIB0};
  assign address_b = {ADB13, ADB12, ADB11, ADB10, ADB9, ADB8, ADB7, ADB6, ADB5, ADB4, ADB3, ADB2,
      ADB1, ADB0};

  // -- the memory, in words of 18 bits ---------------------------------------------------------
  reg [17:0] words[0:1023];

  function automatic [319:0] initial_words(input [5:0] row);
    case (row)
      6'h00: initial_words = INITVAL_00;
      6'h01: initial_words = INITVAL_01;
      6'h02: initial_words = INITVAL_02;
      6'h03: initial_words = INITVAL_03;
      6'h04: initial_words = INITVAL_04;
      6'h05: initial_words = INITVAL_05;
      6'h06: initial_words = INITVAL_06;
      6'h07: initial_words = INITVAL_07;
      6'h08: initial_words = INITVAL_08;
      6'h09: initial_words = INITVAL_09;
      6'h0A: initial_words = INITVAL_0A;
      6'h0B: initial_words = INITVAL_0B;
      6'h0C: initial_words = INITVAL_0C;
      6'h0D: initial_words = INITVAL_0D;
      6'h0E: initial_words = INITVAL_0E;
      6'h0F: initial_words = INITVAL_0F;
      6'h10: initial_words = INITVAL_10;
      6'h11: initial_words = INITVAL_11;
      6'h12: initial_words = INITVAL_12;
      6'h13: initial_words = INITVAL_13;
      6'h14: initial_words = INITVAL_14;
      6'h15: initial_words = INITVAL_15;
      6'h16: initial_words = INITVAL_16;
      6'h17: initial_words = INITVAL_17;
      6'h18: initial_words = INITVAL_18;
      6'h19: initial_words = INITVAL_19;
      6'h1A: initial_words = INITVAL_1A;
      6'h1B: initial_words = INITVAL_1B;
      6'h1C: initial_words = INITVAL_1C;
      6'h1D: initial_words = INITVAL_1D;
      6'h1E: initial_words = INITVAL_1E;
      6'h1F: initial_words = INITVAL_1F;
      6'h20: initial_words = INITVAL_20;
      6'h21: initial_words = INITVAL_21;
      6'h22: initial_words = INITVAL_22;
      6'h23: initial_words = INITVAL_23;
      6'h24: initial_words = INITVAL_24;
      6'h25: initial_words = INITVAL_25;
      6'h26: initial_words = INITVAL_26;
      6'h27: initial_words = INITVAL_27;
      6'h28: initial_words = INITVAL_28;
      6'h29: initial_words = INITVAL_29;
      6'h2A: initial_words = INITVAL_2A;
      6'h2B: initial_words = INITVAL_2B;
      6'h2C: initial_words = INITVAL_2C;
      6'h2D: initial_words = INITVAL_2D;
      6'h2E: initial_words = INITVAL_2E;
      6'h2F: initial_words = INITVAL_2F;
      6'h30: initial_words = INITVAL_30;
      6'h31: initial_words = INITVAL_31;
      6'h32: initial_words = INITVAL_32;
      6'h33: initial_words = INITVAL_33;
      6'h34: initial_words = INITVAL_34;
      6'h35: initial_words = INITVAL_35;
      6'h36: initial_words = INITVAL_36;
      6'h37: initial_words = INITVAL_37;
      6'h38: initial_words = INITVAL_38;
      6'h39: initial_words = INITVAL_39;
      6'h3A: initial_words = INITVAL_3A;
      6'h3B: initial_words = INITVAL_3B;
      6'h3C: initial_words = INITVAL_3C;
      6'h3D: initial_words = INITVAL_3D;
      6'h3E: initial_words = INITVAL_3E;
      6'h3F: initial_words = INITVAL_3F;
    endcase
  endfunction

  // a row holds 16 words, 20 bits apart
  initial begin : contents
    reg [319:0] row;
    for (int w = 0; w < 1024; w++) begin
      row = initial_words(6'(w / 16));
      words[w] = row[20*(w%16) +: 18];
    end
  end

  // -- where a port's bits lie in a word ---------------------------------------------------------
  function automatic [4:0] place(input int width, input [3:0] low);
    case (width)
      1: place = {1'b0, low[3], low[2:0]} + {4'b0, low[3]};
      2: place = {1'b0, low[3], low[2:1], 1'b0} + {4'b0, low[3]};
      4: place = {1'b0, low[3], low[2], 2'b0} + {4'b0, low[3]};
      9: place = low[3] ? 5'd9 : 5'd0;
      default: place = 5'd0;
    endcase
  endfunction

  function automatic [17:0] mask(input int width, input [3:0] low);
    if (width >= 18) mask = {{9{low[1]}}, {9{low[0]}}};
    else mask = ((18'd1 << width) - 18'd1) << place(width, low);
  endfunction

  function automatic [17:0] taken(input int width, input [3:0] low, input [17:0] word);
    if (width >= 18) taken = word;
    else taken = (word >> place(width, low)) & ((18'd1 << width) - 18'd1);
  endfunction

  // -- the ports ---------------------------------------------------------
  wire clock_a, clock_b, async_a, async_b;
  assign clock_a = CLKA ^ (CLKAMUX == "INV");
  assign clock_b = CLKB ^ (CLKBMUX == "INV");
  assign async_a = RSTA && RESETMODE != "SYNC";
  assign async_b = RSTB && RESETMODE != "SYNC";

  // the word that a port addresses (36 bits: two), as it is and as it becomes
  wire [9:0] word_a, word_b;
  wire [17:0] mask_a, mask_b, old_a, old_b, new_a, new_b;
  assign word_a = DATA_WIDTH_A == 36 ? {address_a[13:5], 1'b0} : address_a[13:4];
  assign word_b = DATA_WIDTH_B == 36 ? {address_b[13:5], 1'b0} : address_b[13:4];
  assign mask_a = mask(DATA_WIDTH_A, address_a[3:0]);
  assign mask_b = mask(DATA_WIDTH_B, address_b[3:0]);
  assign old_a  = words[word_a];
  assign old_b  = words[word_b];
  assign new_a  = (old_a & ~mask_a) | ((write_a << place(DATA_WIDTH_A, address_a[3:0])) & mask_a);
  assign new_b  = (old_b & ~mask_b) | ((write_b << place(DATA_WIDTH_B, address_b[3:0])) & mask_b);

  // the second word of 36 bits, written by port A and read by port B
  wire [17:0] second_mask, second_old, second_read;
  assign second_mask = {{9{address_a[3]}}, {9{address_a[2]}}};
  assign second_old  = words[{address_a[13:5], 1'b1}];
  assign second_read = words[{address_b[13:5], 1'b1}];

  /* verilator lint_off MULTIDRIVEN */
  always @(posedge clock_a) begin : write_port_a
    if (CEA && WEA && !RSTA) begin
      words[word_a] <= new_a;
      if (DATA_WIDTH_A == 36)
        words[{address_a[13:5], 1'b1}] <= (second_old & ~second_mask) | (write_b & second_mask);
    end
  end
  always @(posedge clock_b) begin : write_port_b
    if (CEB && WEB && !RSTB) words[word_b] <= new_b;
  end
  /* verilator lint_on MULTIDRIVEN */

  reg [17:0] read_a = '0, read_b = '0, read_second = '0;

  always @(posedge clock_a or posedge async_a) begin : read_port_a
    if (async_a || (RSTA && REGMODE_A == "NOREG")) begin
      read_a <= '0;
    end else if (CEA) begin
      if (!WEA || WRITEMODE_A == "READBEFOREWRITE")
        read_a <= taken(DATA_WIDTH_A, address_a[3:0], old_a);
      else if (WRITEMODE_A == "WRITETHROUGH")
        read_a <= taken(DATA_WIDTH_A, address_a[3:0], new_a);
    end
  end

  always @(posedge clock_b or posedge async_b) begin : read_port_b
    if (async_b || (RSTB && REGMODE_B == "NOREG")) begin
      read_b <= '0;
      read_second <= '0;
    end else if (CEB) begin
      if (!WEB || WRITEMODE_B == "READBEFOREWRITE")
        read_b <= taken(DATA_WIDTH_B, address_b[3:0], old_b);
      else if (WRITEMODE_B == "WRITETHROUGH")
        read_b <= taken(DATA_WIDTH_B, address_b[3:0], new_b);
      read_second <= second_read;
    end
  end

  // -- the output registers ---------------------------------------------------------
  reg [17:0] late_a = '0, late_b = '0, late_second = '0;

  always @(posedge clock_a or posedge async_a) begin : register_a
    if (async_a || RSTA) begin
      late_a <= '0;
    end else if (OCEA) begin
      late_a <= read_a;
    end
  end

  always @(posedge clock_b or posedge async_b) begin : register_b
    if (async_b || RSTB) begin
      late_b <= '0;
      late_second <= '0;
    end else if (OCEB) begin
      late_b <= read_b;
      late_second <= read_second;
    end
  end

  wire [17:0] out_a, out_b, out_second;
  assign out_a      = REGMODE_A == "OUTREG" ? late_a : read_a;
  assign out_b      = REGMODE_B == "OUTREG" ? late_b : read_b;
  assign out_second = REGMODE_B == "OUTREG" ? late_second : read_second;
  assign {DOA17, DOA16, DOA15, DOA14, DOA13, DOA12, DOA11, DOA10, DOA9, DOA8, DOA7, DOA6,
      DOA5, DOA4, DOA3, DOA2, DOA1, DOA0} = DATA_WIDTH_B == 36 ? out_b : out_a;
  assign {DOB17, DOB16, DOB15, DOB14, DOB13, DOB12, DOB11, DOB10, DOB9, DOB8, DOB7, DOB6,
      DOB5, DOB4, DOB3, DOB2, DOB1, DOB0} = DATA_WIDTH_B == 36 ? out_second : out_b;

  // what this model does not do must not be asked of it
  initial if (CSDECODE_A != "0b000" || CSDECODE_B != "0b000" || INIT_DATA != "STATIC")
    $fatal(1, "%m: a mode that the model leaves out");
  always @(posedge clock_b)
    if (WEB && CEB && DATA_WIDTH_B == 36) $fatal(1, "%m: a write of 36 bits through port B");

  wire unused;
  assign unused = &{1'b0, CSA0, CSA1, CSA2, CSB0, CSB1, CSB2};

endmodule

`default_nettype wire
