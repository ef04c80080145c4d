const IGNORED =
  "a frame on a closed stream is thrown away, where the RFC wants it answered by STREAM_CLOSED; it has no effect";
const PRIORITY = "PRIORITY frames are not read at all: RFC 9113 took them out of HTTP/2";
const GOING = "after a GOAWAY of its peer the connection answers no PING; its idle timeout and its age of 45 s end it";
const CLOSED = "the connection is closed at once, where the RFC wants a frame that says why";

/** Cases of h2spec 2.2.1 that Envoy's HTTP/2 codec does not pass, each with the reason why that harms nobody. The list must match exactly. */
export const DEVIATIONS: Readonly<Record<string, string>> = {
  "generic/3.8: Sends a GOAWAY frame": GOING,
  "http2/7: Sends a GOAWAY frame with unknown error code": GOING,
  "http2/5.1: closed: Sends a DATA frame": IGNORED,
  "http2/5.1: closed: Sends a DATA frame after sending RST_STREAM frame": IGNORED,
  "http2/5.1: closed: Sends a HEADERS frame": IGNORED,
  "http2/5.1: closed: Sends a HEADERS frame after sending RST_STREAM frame": IGNORED,
  "http2/5.1.1: Sends stream identifier that is numerically smaller than previous": IGNORED,
  "http2/5.3.1: Sends PRIORITY frame that depend on itself": PRIORITY,
  "http2/6.3: Sends a PRIORITY frame with 0x0 stream identifier": PRIORITY,
  "http2/6.9.1: Sends multiple WINDOW_UPDATE frames increasing the flow control window to above 2^31-1": CLOSED,
  "http2/6.9.1: Sends multiple WINDOW_UPDATE frames increasing the flow control window to above 2^31-1 on a stream":
    CLOSED,
};
