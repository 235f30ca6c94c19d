// MULT18X18D: what the ECP5's multiplier does, for simulation only.
// SPDX-License-Identifier: Apache-2.0
//
// Models     operand registers A and B with their signs, the pipeline register, the output
//            register: each with the clock, enable and reset its parameters name, reset
//            synchronous or not as RESETMODE says. SIGNEDP is 1 when an operand is signed.
// Leaves out the C operand, the shift chains (SRI, SRO, ROA, ROB, ROC: 0), clock division.

`default_nettype none

module MULT18X18D #(
    parameter REG_INPUTA_CLK = "NONE",
    parameter REG_INPUTA_CE = "CE0",
    parameter REG_INPUTA_RST = "RST0",
    parameter REG_INPUTB_CLK = "NONE",
    parameter REG_INPUTB_CE = "CE0",
    parameter REG_INPUTB_RST = "RST0",
    parameter REG_INPUTC_CLK = "NONE",
    parameter REG_INPUTC_CE = "CE0",
    parameter REG_INPUTC_RST = "RST0",
    parameter REG_PIPELINE_CLK = "NONE",
    parameter REG_PIPELINE_CE = "CE0",
    parameter REG_PIPELINE_RST = "RST0",
    parameter REG_OUTPUT_CLK = "NONE",
    parameter REG_OUTPUT_CE = "CE0",
    parameter REG_OUTPUT_RST = "RST0",
    parameter CLK0_DIV = "ENABLED",
    parameter CLK1_DIV = "ENABLED",
    parameter CLK2_DIV = "ENABLED",
    parameter CLK3_DIV = "ENABLED",
    parameter HIGHSPEED_CLK = "NONE",
    parameter GSR = "ENABLED",
    parameter CAS_MATCH_REG = "FALSE",
    parameter SOURCEB_MODE = "B_SHIFT",
    parameter MULT_BYPASS = "DISABLED",
    parameter RESETMODE = "SYNC"
) (
    input wire A0, A1, A2, A3, A4, A5, A6, A7, A8, A9, A10, A11, A12, A13, A14, A15, A16, A17,
    input wire B0, B1, B2, B3, B4, B5, B6, B7, B8, B9, B10, B11, B12, B13, B14, B15, B16, B17,
    input wire C0, C1, C2, C3, C4, C5, C6, C7, C8, C9, C10, C11, C12, C13, C14, C15, C16, C17,
    input wire SIGNEDA, SIGNEDB, SOURCEA, SOURCEB,
    input wire CLK0, CLK1, CLK2, CLK3, CE0, CE1, CE2, CE3, RST0, RST1, RST2, RST3,
    input wire SRIA0, SRIA1, SRIA2, SRIA3, SRIA4, SRIA5, SRIA6, SRIA7, SRIA8, SRIA9, SRIA10,
        SRIA11, SRIA12, SRIA13, SRIA14, SRIA15, SRIA16, SRIA17,
    input wire SRIB0, SRIB1, SRIB2, SRIB3, SRIB4, SRIB5, SRIB6, SRIB7, SRIB8, SRIB9, SRIB10,
        SRIB11, SRIB12, SRIB13, SRIB14, SRIB15, SRIB16, SRIB17,
    output wire SROA0, SROA1, SROA2, SROA3, SROA4, SROA5, SROA6, SROA7, SROA8, SROA9, SROA10,
        SROA11, SROA12, SROA13, SROA14, SROA15, SROA16, SROA17,
    output wire SROB0, SROB1, SROB2, SROB3, SROB4, SROB5, SROB6, SROB7, SROB8, SROB9, SROB10,
        SROB11, SROB12, SROB13, SROB14, SROB15, SROB16, SROB17,
    output wire ROA0, ROA1, ROA2, ROA3, ROA4, ROA5, ROA6, ROA7, ROA8, ROA9, ROA10, ROA11,
        ROA12, ROA13, ROA14, ROA15, ROA16, ROA17,
    output wire ROB0, ROB1, ROB2, ROB3, ROB4, ROB5, ROB6, ROB7, ROB8, ROB9, ROB10, ROB11,
        ROB12, ROB13, ROB14, ROB15, ROB16, ROB17,
    output wire ROC0, ROC1, ROC2, ROC3, ROC4, ROC5, ROC6, ROC7, ROC8, ROC9, ROC10, ROC11,
        ROC12, ROC13, ROC14, ROC15, ROC16, ROC17,
    output wire P0, P1, P2, P3, P4, P5, P6, P7, P8, P9, P10, P11, P12, P13, P14, P15, P16, P17,
        P18, P19, P20, P21, P22, P23, P24, P25, P26, P27, P28, P29, P30, P31, P32, P33, P34,
        P35,
    output wire SIGNEDP
);

  wire [17:0] a, b;
  assign a = {A17, A16, A15, A14, A13, A12, A11, A10, A9,
      A8, A7, A6, A5, A4, A3, A2, A1, A0};
  assign b = {B17, B16, B15, B14, B13, B12, B11, B10, B9,
      B8, B7, B6, B5, B4, B3, B2, B1, B0};

  // operands, with their signs on top
  wire [18:0] a_taken, b_taken;
  espl_ecp5_dsp_register #(
      .Width(19), .Clock(REG_INPUTA_CLK), .Enable(REG_INPUTA_CE), .Reset(REG_INPUTA_RST),
      .ResetMode(RESETMODE)
  ) u_a (
      .clocks({CLK3, CLK2, CLK1, CLK0}), .enables({CE3, CE2, CE1, CE0}),
      .resets({RST3, RST2, RST1, RST0}), .d({SIGNEDA, a}), .q(a_taken)
  );
  espl_ecp5_dsp_register #(
      .Width(19), .Clock(REG_INPUTB_CLK), .Enable(REG_INPUTB_CE), .Reset(REG_INPUTB_RST),
      .ResetMode(RESETMODE)
  ) u_b (
      .clocks({CLK3, CLK2, CLK1, CLK0}), .enables({CE3, CE2, CE1, CE0}),
      .resets({RST3, RST2, RST1, RST0}), .d({SIGNEDB, b}), .q(b_taken)
  );

  // the product of 19-bit signed numbers has every bit that 18 bits of either kind need
  wire signed [18:0] a_extended, b_extended;
  wire signed [37:0] product;
  assign a_extended = {a_taken[18] & a_taken[17], a_taken[17:0]};
  assign b_extended = {b_taken[18] & b_taken[17], b_taken[17:0]};
  assign product    = a_extended * b_extended;

  wire [36:0] middle, result;
  espl_ecp5_dsp_register #(
      .Width(37), .Clock(REG_PIPELINE_CLK), .Enable(REG_PIPELINE_CE), .Reset(REG_PIPELINE_RST),
      .ResetMode(RESETMODE)
  ) u_pipeline (
      .clocks({CLK3, CLK2, CLK1, CLK0}), .enables({CE3, CE2, CE1, CE0}),
      .resets({RST3, RST2, RST1, RST0}),
      .d({a_taken[18] | b_taken[18], product[35:0]}), .q(middle)
  );
  espl_ecp5_dsp_register #(
      .Width(37), .Clock(REG_OUTPUT_CLK), .Enable(REG_OUTPUT_CE), .Reset(REG_OUTPUT_RST),
      .ResetMode(RESETMODE)
  ) u_output (
      .clocks({CLK3, CLK2, CLK1, CLK0}), .enables({CE3, CE2, CE1, CE0}),
      .resets({RST3, RST2, RST1, RST0}), .d(middle), .q(result)
  );

  assign {SIGNEDP,
      P35, P34, P33, P32, P31, P30, P29, P28, P27,
      P26, P25, P24, P23, P22, P21, P20, P19, P18,
      P17, P16, P15, P14, P13, P12, P11, P10, P9,
      P8, P7, P6, P5, P4, P3, P2, P1, P0} = result;
  assign {SROA17, SROA16, SROA15, SROA14, SROA13, SROA12, SROA11, SROA10, SROA9,
      SROA8, SROA7, SROA6, SROA5, SROA4, SROA3, SROA2, SROA1, SROA0} = '0;
  assign {SROB17, SROB16, SROB15, SROB14, SROB13, SROB12, SROB11, SROB10, SROB9,
      SROB8, SROB7, SROB6, SROB5, SROB4, SROB3, SROB2, SROB1, SROB0} = '0;
  assign {ROA17, ROA16, ROA15, ROA14, ROA13, ROA12, ROA11, ROA10, ROA9,
      ROA8, ROA7, ROA6, ROA5, ROA4, ROA3, ROA2, ROA1, ROA0} = '0;
  assign {ROB17, ROB16, ROB15, ROB14, ROB13, ROB12, ROB11, ROB10, ROB9,
      ROB8, ROB7, ROB6, ROB5, ROB4, ROB3, ROB2, ROB1, ROB0} = '0;
  assign {ROC17, ROC16, ROC15, ROC14, ROC13, ROC12, ROC11, ROC10, ROC9,
      ROC8, ROC7, ROC6, ROC5, ROC4, ROC3, ROC2, ROC1, ROC0} = '0;

  // what this model does not do must not be asked of it
  initial if (CLK0_DIV != "ENABLED" || MULT_BYPASS != "DISABLED" || REG_INPUTC_CLK != "NONE")
    $fatal(1, "%m: a mode that the model leaves out");

  wire unused;
  assign unused = &{1'b0, SOURCEA, SOURCEB, product[37:36],
      C17, C16, C15, C14, C13, C12, C11, C10, C9,
      C8, C7, C6, C5, C4, C3, C2, C1, C0,
      SRIA17, SRIA16, SRIA15, SRIA14, SRIA13, SRIA12, SRIA11, SRIA10, SRIA9,
      SRIA8, SRIA7, SRIA6, SRIA5, SRIA4, SRIA3, SRIA2, SRIA1, SRIA0,
      SRIB17, SRIB16, SRIB15, SRIB14, SRIB13, SRIB12, SRIB11, SRIB10, SRIB9,
      SRIB8, SRIB7, SRIB6, SRIB5, SRIB4, SRIB3, SRIB2, SRIB1, SRIB0};

endmodule

// A register of the multiplier: none, or with the clock, enable and reset that are named.
module espl_ecp5_dsp_register #(
    parameter int Width = 1,
    parameter Clock = "NONE",
    parameter Enable = "CE0",
    parameter Reset = "RST0",
    parameter ResetMode = "SYNC"
) (
    input  wire [3:0]       clocks,
    input  wire [3:0]       enables,
    input  wire [3:0]       resets,
    input  wire [Width-1:0] d,
    output wire [Width-1:0] q
);

  localparam int ClockIndex = Clock == "CLK3" ? 3 : Clock == "CLK2" ? 2 : Clock == "CLK1" ? 1 : 0;
  localparam int EnableIndex = Enable == "CE3" ? 3 : Enable == "CE2" ? 2 : Enable == "CE1" ? 1 : 0;
  localparam int ResetIndex = Reset == "RST3" ? 3 : Reset == "RST2" ? 2 : Reset == "RST1" ? 1 : 0;

  if (Clock == "NONE") begin : gen_none
    assign q = d;
    wire unused = &{1'b0, clocks, enables, resets};
  end else begin : gen_register
    wire clock, enable, reset;
    reg [Width-1:0] value = '0;
    assign clock  = clocks[ClockIndex];
    assign enable = enables[EnableIndex];
    assign reset  = resets[ResetIndex];
    if (ResetMode != "SYNC") begin : gen_async
      always @(posedge clock or posedge reset)
        if (reset) value <= '0;
        else if (enable) value <= d;
    end else begin : gen_sync
      always @(posedge clock)
        if (reset) value <= '0;
        else if (enable) value <= d;
    end
    assign q = value;
    wire unused = &{1'b0, clocks, enables, resets};
  end

endmodule

`default_nettype wire
