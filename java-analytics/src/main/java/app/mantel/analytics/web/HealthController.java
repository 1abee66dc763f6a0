package app.mantel.analytics.web;

import app.mantel.analytics.db.Database;
import io.swagger.v3.oas.annotations.Operation;
import io.swagger.v3.oas.annotations.security.SecurityRequirements;
import org.springframework.web.bind.annotation.GetMapping;
import org.springframework.web.bind.annotation.RestController;

/** Whether the daemon serves and its store answers; nothing private. */
@RestController
class HealthController {
  private final Database database;

  HealthController(Database database) {
    this.database = database;
  }

  record Health(String status) {}

  @Operation(summary = "Whether the daemon serves and its store answers")
  @SecurityRequirements
  @GetMapping("/health")
  Health health() {
    database.read().sql("select 1").query(Integer.class).single();
    return new Health("up");
  }
}
