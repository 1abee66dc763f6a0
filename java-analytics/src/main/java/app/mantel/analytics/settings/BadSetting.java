package app.mantel.analytics.settings;

/** A setting that stops the start; the message is one line and names what is allowed. */
public final class BadSetting extends RuntimeException {
  public BadSetting(String name, String value, String allowed) {
    super(name + ": '" + value + "' will not do; " + allowed);
  }
}
