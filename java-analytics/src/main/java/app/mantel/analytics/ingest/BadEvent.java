package app.mantel.analytics.ingest;

/** An event that is set aside; the message is the reason that the appliance is told. */
final class BadEvent extends Exception {
  BadEvent(String field, String needed) {
    super(field + ": " + needed + " is needed");
  }
}
