// espl_link_send: the board's frames: header, payload, CRC-32C, COBS as seen from the end.
// SPDX-License-Identifier: Apache-2.0
//
// Contract   docs/protocol.md. info_i and answer_i are pulses: a frame of that kind is due;
//            frames of the engine's packets are due while pending_i. What is due goes out in
//            the order information, packet, answer; any frame is an answer as well.
// Encoding   a zero byte is replaced by the distance to the zero before it, and the last
//            byte of a frame is such a distance: the host decodes from the end, and nothing
//            has to be known ahead. A frame ends with a zero.
// Cost       about 190 LUT4, 130 FF (iCE40), the CRC included.
// The same   host/frame.c

`default_nettype none

module espl_link_send #(
    parameter int unsigned ClockHz = 25_000_000
) (
    input  wire logic        clk_i,
    input  wire logic        rst_ni,

    input  wire logic        info_i,
    input  wire logic        answer_i,
    input  wire logic        pending_i,
    input  wire logic [ 7:0] next_i,
    output      logic        take_o,
    output      logic [ 2:0] slot_o,
    output      logic [ 5:0] index_o,
    input  wire logic [ 7:0] data_i,

    input  wire logic [ 4:0] flags_i,         // open, full, gap, attempt 2
    input  wire logic [ 7:0] expected_i,
    input  wire logic [ 7:0] tag_i,
    input  wire logic [ 7:0] session_i,
    input  wire logic        busy_i,          // frames wait for the engine
    input  wire logic [15:0] bad_frames_i,
    input  wire logic [31:0] program_crc_i,
    output      logic [ 2:0] status_address_o,
    input  wire logic [31:0] status_data_i,

    output      logic        valid_o,
    input  wire logic        ready_i,
    output      logic [ 7:0] data_o
);

  localparam logic [31:0] Protocol = 32'h4C45_0001;  // "EL", version 1
  localparam logic [31:0] Clock = ClockHz;
  localparam logic [5:0] InfoBytes = 6'd48;

  typedef enum logic [2:0] {
    Idle,       // nothing is being sent
    Meta,       // last flag and size of the packet's frame are being read
    Header,
    Payload,
    Check,      // CRC-32C
    Code,       // the last distance
    Delimiter
  } state_e;

  typedef enum logic [1:0] {
    Read,   // address out
    Fetch,  // byte chosen, when the CRC of those before is there
    Put     // byte offered
  } phase_e;

  state_e state_q;
  phase_e phase_q;
  logic info_q, answer_q;         // due
  logic is_info_q, is_packet_q, last_q;
  logic [7:0] sequence_q, byte_q, chosen;
  logic [5:0] size_q, at_q;       // of the payload; byte of this part
  logic [6:0] distance_q;         // to the last zero
  logic part_done, sent, crc_ready, unused_good;
  logic [31:0] crc, status_q;

  assign slot_o  = sequence_q[2:0];
  assign index_o = (state_q == Payload) ? at_q + 6'd8 : '0;
  assign take_o  = state_q == Idle && !info_q && pending_i;

  // word w of the information: 0 protocol, 1 clock, 2 CRC, 3 session, busy, bad frames, 4.. status
  logic [3:0] word, word_after;
  logic [5:0] after;
  logic [7:0] info_byte;
  assign word             = at_q[5:2];
  assign after            = at_q + 1'b1;
  assign word_after       = after[5:2];
  assign status_address_o = {word_after[3], word_after[1:0]};
  always_comb begin : information
    unique case (word)
      4'd0:    info_byte = Protocol[8*at_q[1:0] +: 8];
      4'd1:    info_byte = Clock[8*at_q[1:0] +: 8];
      4'd2:    info_byte = program_crc_i[8*at_q[1:0] +: 8];
      4'd3:    info_byte = at_q[1] ? (at_q[0] ? bad_frames_i[15:8] : bad_frames_i[7:0])
                                   : (at_q[0] ? {7'd0, busy_i} : session_i);
      default: info_byte = status_q[8*at_q[1:0] +: 8];
    endcase
  end

  always_comb begin : choose
    unique case (state_q)
      Header:
        unique case (at_q[1:0])
          2'd0: chosen = {flags_i, is_packet_q, !is_packet_q && !is_info_q, is_packet_q && last_q};
          2'd1: chosen = is_info_q ? tag_i : sequence_q;
          2'd2: chosen = expected_i;
          2'd3: chosen = {2'd0, size_q};
        endcase
      Payload: chosen = is_info_q ? info_byte : data_i;
      default: chosen = ~crc[7:0];
    endcase
  end

  espl_crc32c u_crc (
      .clk_i,
      .rst_ni,
      .clear_i(state_q == Idle),
      .valid_i(sent && state_q != Code && state_q != Delimiter),
      .ready_o(crc_ready),
      .data_i(byte_q),
      .unload_i(state_q == Check),
      .crc_o(crc),
      .good_o(unused_good)
  );

  // the wire's byte: a zero of the body becomes its distance
  assign valid_o = phase_q == Put;
  assign sent    = valid_o && ready_i;
  always_comb begin : encode
    if (state_q == Delimiter) data_o = '0;
    else if (state_q == Code || byte_q == '0) data_o = {1'b0, distance_q};
    else data_o = byte_q;
  end

  always_comb begin : parts
    unique case (state_q)
      Header, Check: part_done = at_q[1:0] == 2'd3;
      Payload:       part_done = at_q == size_q - 1'b1;
      default:       part_done = 1'b1;
    endcase
  end

  always_ff @(posedge clk_i) begin : control
    if (!rst_ni) begin
      state_q  <= Idle;
      phase_q  <= Read;
      info_q   <= 1'b0;
      answer_q <= 1'b0;
    end else begin
      if (info_i) info_q <= 1'b1;
      if (answer_i) answer_q <= 1'b1;
      unique case (phase_q)
        Read:    if (state_q != Idle) phase_q <= Fetch;
        Fetch:   if (crc_ready) phase_q <= (state_q == Meta) ? Read : Put;
        default: if (sent) phase_q <= Read;
      endcase
      unique case (state_q)
        Idle:
          if (info_q || pending_i || answer_q) begin
            state_q  <= (!info_q && pending_i) ? Meta : Header;
            answer_q <= answer_i;
            if (info_q) info_q <= info_i;
          end
        Meta:    if (phase_q == Fetch && crc_ready) state_q <= Header;
        Header:  if (sent && part_done) state_q <= (size_q == '0) ? Check : Payload;
        Payload: if (sent && part_done) state_q <= Check;
        Check:   if (sent && part_done) state_q <= Code;
        Code:    if (sent) state_q <= Delimiter;
        default: if (sent) state_q <= Idle;
      endcase
    end
  end

  always_ff @(posedge clk_i) begin : data
    if (state_q == Idle) begin
      is_info_q   <= info_q;
      is_packet_q <= !info_q && pending_i;
      size_q      <= info_q ? InfoBytes : '0;
      sequence_q  <= next_i;
      distance_q  <= 7'd1;
      at_q        <= '0;
    end else if (state_q == Meta) begin
      if (phase_q == Fetch) begin
        last_q <= data_i[7];
        size_q <= {data_i[2:0], 3'd0};
      end
    end else if (sent) begin
      at_q       <= part_done ? '0 : after;
      distance_q <= (byte_q == '0) ? 7'd1 : distance_q + 1'b1;
    end
    if (phase_q == Fetch) byte_q <= chosen;
    // a status word is read whole, and long after its address went out
    if (sent && at_q[1:0] == 2'd3) status_q <= status_data_i;
  end

  logic unused;
  assign unused = &{1'b0, data_i[6:3], unused_good, after[1:0], word_after[2], crc[31:8]};

endmodule

`default_nettype wire
