package app.mantel.analytics.playback;

/**
 * A sign that somebody plays a file. Times are epoch milliseconds, {@code position} seconds of the
 * medium, bytes counted from {@code firstByte}.
 */
record PlayEvent(
    Kind kind,
    long beganAt,
    long endedAt,
    String device,
    String state,
    double position,
    double rate,
    long firstByte,
    long bytes) {

  /** What it is worth: a player's own word before a cast's, and that before bytes. */
  enum Kind {
    PING,
    CAST_POSITION,
    SPAN
  }

  static PlayEvent position(
      Kind kind, long at, String device, String state, double position, double rate) {
    return new PlayEvent(kind, at, at, device, state, position, rate, 0, 0);
  }

  static PlayEvent span(long beganAt, long endedAt, String device, long firstByte, long bytes) {
    return new PlayEvent(Kind.SPAN, beganAt, endedAt, device, "", 0, 1, firstByte, bytes);
  }

  /** Whether the medium was running from here on. */
  boolean running() {
    return state.equals("playing") || state.equals("seeked") || state.equals("hidden");
  }
}
