package app.mantel.analytics.schedule;

import app.mantel.analytics.db.Database;
import app.mantel.analytics.settings.Settings;
import io.swagger.v3.oas.annotations.Operation;
import io.swagger.v3.oas.annotations.media.Content;
import io.swagger.v3.oas.annotations.media.Schema;
import io.swagger.v3.oas.annotations.responses.ApiResponse;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.UUID;
import org.springframework.http.MediaType;
import org.springframework.http.ResponseEntity;
import org.springframework.web.bind.annotation.PostMapping;
import org.springframework.web.bind.annotation.RestController;
import org.springframework.web.servlet.mvc.method.annotation.StreamingResponseBody;

/** A consistent copy of the store, sent as the answer's body; for the backup. */
@RestController
class SnapshotController {
  private final Database database;
  private final Settings settings;

  SnapshotController(Database database, Settings settings) {
    this.database = database;
    this.settings = settings;
  }

  @Operation(
      summary = "A consistent copy of the store",
      description = "An SQLite file as the body, on PostgreSQL too, while running.")
  @ApiResponse(
      responseCode = "200",
      content =
          @Content(
              mediaType = "application/vnd.sqlite3",
              schema = @Schema(type = "string", format = "binary")))
  @PostMapping("/api/analytics/snapshot")
  ResponseEntity<StreamingResponseBody> snapshot() {
    Path copy = settings.state().resolve("analytics-snapshot-" + UUID.randomUUID() + ".db");
    database.copyInto(copy);
    return ResponseEntity.ok()
        .contentType(MediaType.parseMediaType("application/vnd.sqlite3"))
        .body(
            out -> {
              try {
                Files.copy(copy, out);
              } finally {
                delete(copy);
              }
            });
  }

  private static void delete(Path copy) throws IOException {
    Files.deleteIfExists(copy);
  }
}
