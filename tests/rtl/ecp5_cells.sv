// ecp5_cells: the ECP5 cells' models in many settings side by side, for their bench.
// SPDX-License-Identifier: Apache-2.0

`default_nettype none

// One DP16KD with its pins as vectors.
module ecp5_cells_ram #(
    parameter int WidthA = 18,
    parameter int WidthB = 18,
    parameter Mode = "NORMAL",
    parameter Register = "NOREG",
    parameter [319:0] Row0 = '0
) (
    input  wire        clock_a, clock_b, enable_a, enable_b, write_a, write_b, reset_a, reset_b,
    input  wire [13:0] address_a, address_b,
    input  wire [17:0] data_a, data_b,
    output wire [17:0] out_a, out_b
);
  DP16KD #(
      .DATA_WIDTH_A(WidthA), .DATA_WIDTH_B(WidthB), .WRITEMODE_A(Mode), .WRITEMODE_B(Mode),
      .REGMODE_A(Register), .REGMODE_B(Register), .INITVAL_00(Row0)
  ) u_ram (
      .CLKA(clock_a), .CEA(enable_a), .OCEA(1'b1), .WEA(write_a), .RSTA(reset_a),
      .CSA0(1'b0), .CSA1(1'b0), .CSA2(1'b0),
      .CLKB(clock_b), .CEB(enable_b), .OCEB(1'b1), .WEB(write_b), .RSTB(reset_b),
      .CSB0(1'b0), .CSB1(1'b0), .CSB2(1'b0),
      .ADA0(address_a[0]), .ADA1(address_a[1]), .ADA2(address_a[2]), .ADA3(address_a[3]),
      .ADA4(address_a[4]), .ADA5(address_a[5]), .ADA6(address_a[6]), .ADA7(address_a[7]),
      .ADA8(address_a[8]), .ADA9(address_a[9]), .ADA10(address_a[10]), .ADA11(address_a[11]),
      .ADA12(address_a[12]), .ADA13(address_a[13]), .DIA0(data_a[0]), .DIA1(data_a[1]),
      .DIA2(data_a[2]), .DIA3(data_a[3]), .DIA4(data_a[4]), .DIA5(data_a[5]), .DIA6(data_a[6]),
      .DIA7(data_a[7]), .DIA8(data_a[8]), .DIA9(data_a[9]), .DIA10(data_a[10]),
      .DIA11(data_a[11]), .DIA12(data_a[12]), .DIA13(data_a[13]), .DIA14(data_a[14]),
      .DIA15(data_a[15]), .DIA16(data_a[16]), .DIA17(data_a[17]), .DOA0(out_a[0]),
      .DOA1(out_a[1]), .DOA2(out_a[2]), .DOA3(out_a[3]), .DOA4(out_a[4]), .DOA5(out_a[5]),
      .DOA6(out_a[6]), .DOA7(out_a[7]), .DOA8(out_a[8]), .DOA9(out_a[9]), .DOA10(out_a[10]),
      .DOA11(out_a[11]), .DOA12(out_a[12]), .DOA13(out_a[13]), .DOA14(out_a[14]),
      .DOA15(out_a[15]), .DOA16(out_a[16]), .DOA17(out_a[17]), .ADB0(address_b[0]),
      .ADB1(address_b[1]), .ADB2(address_b[2]), .ADB3(address_b[3]), .ADB4(address_b[4]),
      .ADB5(address_b[5]), .ADB6(address_b[6]), .ADB7(address_b[7]), .ADB8(address_b[8]),
      .ADB9(address_b[9]), .ADB10(address_b[10]), .ADB11(address_b[11]), .ADB12(address_b[12]),
      .ADB13(address_b[13]), .DIB0(data_b[0]), .DIB1(data_b[1]), .DIB2(data_b[2]),
      .DIB3(data_b[3]), .DIB4(data_b[4]), .DIB5(data_b[5]), .DIB6(data_b[6]), .DIB7(data_b[7]),
      .DIB8(data_b[8]), .DIB9(data_b[9]), .DIB10(data_b[10]), .DIB11(data_b[11]),
      .DIB12(data_b[12]), .DIB13(data_b[13]), .DIB14(data_b[14]), .DIB15(data_b[15]),
      .DIB16(data_b[16]), .DIB17(data_b[17]), .DOB0(out_b[0]), .DOB1(out_b[1]), .DOB2(out_b[2]),
      .DOB3(out_b[3]), .DOB4(out_b[4]), .DOB5(out_b[5]), .DOB6(out_b[6]), .DOB7(out_b[7]),
      .DOB8(out_b[8]), .DOB9(out_b[9]), .DOB10(out_b[10]), .DOB11(out_b[11]), .DOB12(out_b[12]),
      .DOB13(out_b[13]), .DOB14(out_b[14]), .DOB15(out_b[15]), .DOB16(out_b[16]),
      .DOB17(out_b[17])
  );
endmodule

// Every pair of widths, in the three write modes, and the 36-bit form with each read width.
module ecp5_cells #(
    localparam int Modes = 3,
    localparam int Widths = 5,
    localparam int Pairs = Modes * Widths * Widths,
    localparam int Rams = Pairs + Widths + 2,
    localparam int Multipliers = 4
) (
    input  wire                      clk_i,
    input  wire                      enable_a, enable_b, write_a, write_b, reset_a, reset_b,
    input  wire [13:0]               address_a, address_b,
    input  wire [17:0]               data_a, data_b,
    output wire [18*Rams-1:0]        out_a, out_b,

    input  wire [17:0]               factor_a, factor_b,
    input  wire                      signed_a, signed_b, enable_m, reset_m,
    output wire [36*Multipliers-1:0] product
);

  for (genvar m = 0; m < Modes; m++) begin : gen_mode
    for (genvar a = 0; a < Widths; a++) begin : gen_a
      for (genvar b = 0; b < Widths; b++) begin : gen_b
        localparam int Index = (m * Widths + a) * Widths + b;
        ecp5_cells_ram #(
            .WidthA(a == 4 ? 18 : a == 3 ? 9 : 1 << a),
            .WidthB(b == 4 ? 18 : b == 3 ? 9 : 1 << b),
            .Mode(m == 0 ? "NORMAL" : m == 1 ? "WRITETHROUGH" : "READBEFOREWRITE")
        ) u_ram (
            .clock_a(clk_i), .clock_b(clk_i), .enable_a, .enable_b, .write_a, .write_b,
            .reset_a, .reset_b, .address_a, .address_b, .data_a, .data_b,
            .out_a(out_a[18*Index +: 18]), .out_b(out_b[18*Index +: 18])
        );
      end
    end
  end

  // 36 bits written by port A; port B reads each width, then 36, then 36 with registers
  for (genvar b = 0; b < Widths + 2; b++) begin : gen_wide
    localparam int Index = Pairs + b;
    ecp5_cells_ram #(
        .WidthA(36),
        .WidthB(b >= 5 ? 36 : b == 4 ? 18 : b == 3 ? 9 : 1 << b),
        .Register(b == 6 ? "OUTREG" : "NOREG"),
        .Row0(320'h3ffff_12345)
    ) u_ram (
        .clock_a(clk_i), .clock_b(clk_i), .enable_a, .enable_b, .write_a, .write_b(1'b0),
        .reset_a, .reset_b, .address_a, .address_b, .data_a, .data_b,
        .out_a(out_a[18*Index +: 18]), .out_b(out_b[18*Index +: 18])
    );
  end

  // no registers; operands; operands and product; all three
  for (genvar k = 0; k < Multipliers; k++) begin : gen_multiplier
    MULT18X18D #(
        .REG_INPUTA_CLK(k >= 1 ? "CLK0" : "NONE"), .REG_INPUTB_CLK(k >= 1 ? "CLK0" : "NONE"),
        .REG_PIPELINE_CLK(k >= 3 ? "CLK0" : "NONE"), .REG_OUTPUT_CLK(k >= 2 ? "CLK0" : "NONE"),
        .RESETMODE("SYNC")
    ) u_multiplier (
        .CLK0(clk_i), .CE0(enable_m), .RST0(reset_m), .SIGNEDA(signed_a), .SIGNEDB(signed_b),
        .SOURCEA(1'b0), .SOURCEB(1'b0),
        .A0(factor_a[0]), .A1(factor_a[1]), .A2(factor_a[2]), .A3(factor_a[3]), .A4(factor_a[4]),
        .A5(factor_a[5]), .A6(factor_a[6]), .A7(factor_a[7]), .A8(factor_a[8]), .A9(factor_a[9]),
        .A10(factor_a[10]), .A11(factor_a[11]), .A12(factor_a[12]), .A13(factor_a[13]),
        .A14(factor_a[14]), .A15(factor_a[15]), .A16(factor_a[16]), .A17(factor_a[17]),
        .B0(factor_b[0]), .B1(factor_b[1]), .B2(factor_b[2]), .B3(factor_b[3]), .B4(factor_b[4]),
        .B5(factor_b[5]), .B6(factor_b[6]), .B7(factor_b[7]), .B8(factor_b[8]), .B9(factor_b[9]),
        .B10(factor_b[10]), .B11(factor_b[11]), .B12(factor_b[12]), .B13(factor_b[13]),
        .B14(factor_b[14]), .B15(factor_b[15]), .B16(factor_b[16]), .B17(factor_b[17]),
        .P0(product[36*k+0]), .P1(product[36*k+1]), .P2(product[36*k+2]), .P3(product[36*k+3]),
        .P4(product[36*k+4]), .P5(product[36*k+5]), .P6(product[36*k+6]), .P7(product[36*k+7]),
        .P8(product[36*k+8]), .P9(product[36*k+9]), .P10(product[36*k+10]),
        .P11(product[36*k+11]), .P12(product[36*k+12]), .P13(product[36*k+13]),
        .P14(product[36*k+14]), .P15(product[36*k+15]), .P16(product[36*k+16]),
        .P17(product[36*k+17]), .P18(product[36*k+18]), .P19(product[36*k+19]),
        .P20(product[36*k+20]), .P21(product[36*k+21]), .P22(product[36*k+22]),
        .P23(product[36*k+23]), .P24(product[36*k+24]), .P25(product[36*k+25]),
        .P26(product[36*k+26]), .P27(product[36*k+27]), .P28(product[36*k+28]),
        .P29(product[36*k+29]), .P30(product[36*k+30]), .P31(product[36*k+31]),
        .P32(product[36*k+32]), .P33(product[36*k+33]), .P34(product[36*k+34]),
        .P35(product[36*k+35])
    );
  end

endmodule

`default_nettype wire
