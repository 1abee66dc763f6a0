package app.mantel.analytics.web;

/** Asked for something that the store in use leaves to its own tools. */
public final class NotOnThisStore extends RuntimeException {
  public NotOnThisStore(String message) {
    super(message);
  }
}
