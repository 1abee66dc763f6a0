package app.mantel.analytics.db;

import java.util.List;

/** What differs between the two stores; upserts and the rest are written alike. */
public enum Dialect {
  SQLITE("blob", "classpath:db/migration/common"),
  POSTGRESQL("bytea", "classpath:db/migration/common", "classpath:db/migration/postgresql");

  private final String bytes;
  private final List<String> migrations;

  Dialect(String bytes, String... migrations) {
    this.bytes = bytes;
    this.migrations = List.of(migrations);
  }

  /** Name of the column type for bytes. */
  String bytes() {
    return bytes;
  }

  String[] migrations() {
    return migrations.toArray(String[]::new);
  }
}
