package app.mantel.analytics;

import static com.tngtech.archunit.base.DescribedPredicate.not;
import static com.tngtech.archunit.core.domain.JavaClass.Predicates.resideInAPackage;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.classes;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noFields;
import static com.tngtech.archunit.library.dependencies.SlicesRuleDefinition.slices;
import static org.assertj.core.api.Assertions.assertThat;

import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;
import java.time.Clock;
import java.time.Instant;
import org.junit.jupiter.api.Test;
import org.springframework.beans.factory.annotation.Autowired;
import org.springframework.jdbc.core.simple.JdbcClient;
import org.springframework.web.bind.annotation.RestController;

/** A package is a feature; who may know what. */
class ArchitectureTest {
  private static final String BASE = "app.mantel.analytics";
  private static final JavaClasses OURS =
      new ClassFileImporter()
          .withImportOption(ImportOption.Predefined.DO_NOT_INCLUDE_TESTS)
          .importPackages(BASE);

  @Test
  void featuresDoNotTurnInCircles() {
    assertThat(OURS.size()).isGreaterThan(50);
    slices().matching(BASE + ".(*)..").should().beFreeOfCycles().check(OURS);
  }

  @Test
  void theCellarKnowsNoFeature() {
    noClasses()
        .that()
        .resideInAnyPackage(BASE + ".settings..", BASE + ".db..")
        .should()
        .dependOnClassesThat(
            resideInAPackage(BASE + "..")
                .and(not(resideInAPackage(BASE + ".settings..")))
                .and(not(resideInAPackage(BASE + ".db.."))))
        .check(OURS);
  }

  /** What runs in the parse cell brings neither our settings nor Spring along. */
  @Test
  void theReaderStandsAlone() {
    classes()
        .that()
        .resideInAPackage(BASE + ".library.reader..")
        .should()
        .onlyDependOnClassesThat()
        .resideInAnyPackage(
            BASE + ".library.reader..",
            "java..",
            "org.jspecify..",
            "tools.jackson..",
            "com.drew..",
            "org.jaudiotagger..")
        .check(OURS);
  }

  @Test
  void strangersBytesAreReadInTheReaderAlone() {
    noClasses()
        .that()
        .resideOutsideOfPackage(BASE + ".library.reader..")
        .should()
        .dependOnClassesThat()
        .resideInAnyPackage("com.drew..", "org.jaudiotagger..")
        .check(OURS);
  }

  @Test
  void programsAreStartedInTheCell() {
    noClasses()
        .that()
        .doNotHaveFullyQualifiedName(BASE + ".library.Cell")
        .and()
        .doNotHaveFullyQualifiedName(BASE + ".systemd.Notify")
        .should()
        .dependOnClassesThat()
        .areAssignableTo(ProcessBuilder.class)
        .check(OURS);
  }

  @Test
  void theStoreIsOpenedInOnePlace() {
    noClasses()
        .that()
        .resideOutsideOfPackage(BASE + ".db..")
        .should()
        .dependOnClassesThat()
        .resideInAnyPackage("com.zaxxer..", "org.flywaydb..", "org.sqlite..", "org.postgresql..")
        .orShould()
        .callMethod(JdbcClient.class, "create", javax.sql.DataSource.class)
        .check(OURS);
  }

  @Test
  void routesStandInControllersThatNobodyElseKnows() {
    classes()
        .that()
        .areAnnotatedWith(RestController.class)
        .should()
        .haveSimpleNameEndingWith("Controller")
        .andShould()
        .bePackagePrivate()
        .check(OURS);
  }

  @Test
  void timeComesFromTheClock() {
    noClasses()
        .should()
        .callMethod(System.class, "currentTimeMillis")
        .orShould()
        .callMethod(Instant.class, "now")
        .check(OURS);
    noClasses()
        .that()
        .doNotHaveSimpleName("MantelAnalytics")
        .should()
        .callMethod(Clock.class, "systemUTC")
        .check(OURS);
  }

  @Test
  void whatAClassNeedsIsInItsConstructor() {
    noFields().should().beAnnotatedWith(Autowired.class).check(OURS);
  }
}
