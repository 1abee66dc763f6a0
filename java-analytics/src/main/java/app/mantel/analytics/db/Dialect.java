package app.mantel.analytics.db;

/** What differs between the two stores; upserts and the rest are written alike. */
public enum Dialect {
  SQLITE("blob", "classpath:db/migration/common"),
  POSTGRESQL("bytea", "classpath:db/migration/common", "classpath:db/migration/postgresql");

  private final String bytes;
  private final String[] migrations;

  Dialect(String bytes, String... migrations) {
    this.bytes = bytes;
    this.migrations = migrations;
  }

  /** Name of the column type for bytes. */
  String bytes() {
    return bytes;
  }

  String[] migrations() {
    return migrations.clone();
  }
}
