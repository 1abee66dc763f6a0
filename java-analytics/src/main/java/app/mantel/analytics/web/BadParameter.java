package app.mantel.analytics.web;

/**
 * A parameter or a field of the body that will not do; {@code allowed} says in words what would.
 */
public final class BadParameter extends RuntimeException {
  private final String field;

  public BadParameter(String field, String allowed) {
    super(field + ": " + allowed);
    this.field = field;
  }

  public String field() {
    return field;
  }
}
