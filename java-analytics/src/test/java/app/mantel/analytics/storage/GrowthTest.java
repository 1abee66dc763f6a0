package app.mantel.analytics.storage;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;
import static org.assertj.core.api.Assertions.withinPercentage;

import app.mantel.analytics.db.Store;
import app.mantel.analytics.settings.Settings;
import app.mantel.analytics.system.Daemon;
import app.mantel.analytics.system.World;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Instant;
import java.time.ZoneOffset;
import java.util.List;
import java.util.stream.IntStream;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.DoubleRange;
import net.jqwik.api.constraints.IntRange;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.JsonNode;

/** Growth counted by hand, and what no day of importing may change. */
class GrowthTest {
  @Test
  void thePairwiseSlopesOfSevenDays() {
    double[] totals = {0, 1, 2, 3, 7, 8, 9};
    // 1-day: 1 1 1 4 1 1 · 2-day: 1 1 2.5 2.5 1 · 3-day: 1 2 2 2 · 4-day: 1.75 1.75 1.75
    // 5-day: 1.6 1.6 · 6-day: 1.5. Sorted: 1 nine times, 1.5, 1.6 … the eleventh is 1.6.
    assertThat(TheilSen.slope(totals)).isEqualTo(1.6);
    assertThat(Growth.perDay(totals)).isEqualTo(1.6);
  }

  @Test
  void belowAWeekNothingIsSaid() {
    assertThat(Growth.perDay(new double[] {1, 2, 3, 4, 5, 6})).isNull();
    assertThat(Growth.perDay(new double[] {1, 2, 3, 4, 5, 6, 7})).isEqualTo(1.0);
    assertThat(Growth.perDay(new double[0])).isNull();
  }

  @Test
  void filmsOnSundaysAreGrowth() {
    double[] totals = IntStream.range(0, 90).mapToDouble(day -> day / 7 * 7_000.0).toArray();
    assertThat(Growth.perDay(totals)).isCloseTo(1_000, within(20.0));
  }

  @Test
  void theDayOfAMoveIsNoGrowthWhenItIsTheOnlyOne() {
    double[] totals = IntStream.range(0, 90).mapToDouble(day -> day < 45 ? 0 : 4e12).toArray();
    // nearly every second pair has the step between them
    assertThat(TheilSen.slope(totals)).isGreaterThan(1e10);
    assertThat(Growth.perDay(totals)).isZero();
  }

  @Test
  void theDiskIsFullInSoManyDays(@TempDir Path root) throws Exception {
    Settings empty = Store.SQLITE.empty();
    Settings settings =
        new Settings(
            0,
            empty.databaseUrl(),
            empty.state(),
            1,
            empty.timezone(),
            List.of(root, root.resolve(".")),
            empty.toDaemon(),
            empty.toAppliance());
    World world = new World();
    for (int day = 10; day < 20; day++) {
      world.file("2026-10-%dT10:00:00Z".formatted(day), "f" + day, day + ".mp4", "video", 1 << 20);
    }
    Clock clock = Clock.fixed(Instant.parse("2026-10-19T12:00:00Z"), ZoneOffset.UTC);
    try (Daemon daemon = new Daemon(settings, clock)) {
      world.tell(daemon);
      daemon.bean(StorageDays.class).run();
      JsonNode summary = daemon.get("/api/analytics/storage/summary");
      assertThat(summary.get("growthBytesPerDay").asLong()).isEqualTo(1 << 20);
      // one disk under two names is one disk
      double days = (double) Files.getFileStore(root).getUsableSpace() / (1 << 20);
      assertThat(summary.get("daysToFull").asDouble()).isCloseTo(days, withinPercentage(5));
    }
  }

  @Property(tries = 200)
  void oneBigDayOfImportingBendsNothing(
      @ForAll @IntRange(min = 7, max = 90) int days,
      @ForAll @IntRange(min = 1, max = 89) int when,
      @ForAll @DoubleRange(min = 20, max = 1e6) double times) {
    double daily = 3_000;
    double[] totals =
        IntStream.range(0, days)
            .mapToDouble(day -> daily * day + (day >= when ? daily * times : 0))
            .toArray();
    assertThat(Growth.perDay(totals)).isCloseTo(daily, within(1e-3));
  }

  @Property(tries = 100)
  void steadyGrowthIsItself(
      @ForAll @IntRange(min = 7, max = 90) int days,
      @ForAll @DoubleRange(min = -1e9, max = 1e9) double daily) {
    double[] totals = IntStream.range(0, days).mapToDouble(day -> 1e12 + daily * day).toArray();
    assertThat(Growth.perDay(totals)).isCloseTo(daily, within(1.0));
  }
}
