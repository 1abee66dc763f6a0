package app.mantel.analytics.ingest;

import app.mantel.analytics.web.BadParameter;
import io.swagger.v3.oas.annotations.Operation;
import io.swagger.v3.oas.annotations.media.Schema;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import org.springframework.http.HttpStatus;
import org.springframework.web.bind.annotation.GetMapping;
import org.springframework.web.bind.annotation.PostMapping;
import org.springframework.web.bind.annotation.RequestBody;
import org.springframework.web.bind.annotation.RequestMapping;
import org.springframework.web.bind.annotation.RequestParam;
import org.springframework.web.bind.annotation.ResponseStatus;
import org.springframework.web.bind.annotation.RestController;
import tools.jackson.databind.JsonNode;

/** The feed's two routes. */
@RestController
@RequestMapping("/api/analytics/ingest")
class IngestController {
  private static final int MOST_EVENTS = 500;
  private static final Pattern EPOCH = Pattern.compile("[0-9A-Za-z-]{1,64}");

  private final Ingest ingest;

  IngestController(Ingest ingest) {
    this.ingest = ingest;
  }

  record Cursor(long through) {}

  record Batch(
      @Nullable String epoch,
      @Nullable Long from,
      @Nullable Long to,
      @Schema(implementation = Object[].class) @Nullable JsonNode events) {}

  @Operation(
      summary = "How far the log of this epoch is stored",
      description = "0 for an epoch never seen. The appliance sends what follows.")
  @GetMapping("/cursor")
  Cursor cursor(@RequestParam String epoch) {
    return new Cursor(ingest.through(checkedEpoch(epoch)));
  }

  @Operation(
      summary = "Store a batch of the log",
      description =
          """
          At most 500 events with from ≤ seq ≤ to. The batch and its cursor are one transaction. \
          A bad event is set aside with its reason and the cursor moves on. A version that is not \
          higher than the stored one is a duplicate. Fields: seq, eventId, version, at, type, \
          userId?, device?, fileId?, payload.""")
  @PostMapping
  @ResponseStatus(HttpStatus.ACCEPTED)
  Ingest.Answer ingest(@RequestBody Batch batch) {
    String epoch = checkedEpoch(batch.epoch());
    Long from = batch.from();
    Long to = batch.to();
    JsonNode events = batch.events();
    if (from == null || from < 1) {
      throw new BadParameter("from", "a whole number, 1 or more, is needed");
    }
    if (to == null || to < from) {
      throw new BadParameter("to", "a whole number not below from is needed");
    }
    if (events == null || !events.isArray() || events.size() > MOST_EVENTS) {
      throw new BadParameter("events", "a list of at most " + MOST_EVENTS + " events is needed");
    }
    for (JsonNode event : events) {
      JsonNode seq = event.path("seq");
      if (seq.isIntegralNumber() && (seq.asLong() < from || seq.asLong() > to)) {
        throw new BadParameter("events", "each seq must lie between from and to");
      }
    }
    return ingest.take(epoch, to, events);
  }

  private static String checkedEpoch(@Nullable String epoch) {
    if (epoch == null || !EPOCH.matcher(epoch).matches()) {
      throw new BadParameter("epoch", "an id of letters, digits and dashes is needed");
    }
    return epoch;
  }
}
