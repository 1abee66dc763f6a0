package app.mantel.analytics.settings;

/** A token: only {@link #reveal} tells it, no log and no error does. */
public record Secret(String reveal) {
  @Override
  public String toString() {
    return "Secret(…)";
  }
}
