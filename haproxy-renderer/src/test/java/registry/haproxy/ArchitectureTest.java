package registry.haproxy;

import static com.tngtech.archunit.core.domain.JavaClass.Predicates.resideInAnyPackage;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.classes;
import static com.tngtech.archunit.library.dependencies.SlicesRuleDefinition.slices;

import com.tngtech.archunit.core.importer.ImportOption;
import com.tngtech.archunit.junit.AnalyzeClasses;
import com.tngtech.archunit.junit.ArchTest;
import com.tngtech.archunit.lang.ArchRule;

/** The companion is one more client of the public API, and small. */
@AnalyzeClasses(packages = "registry.haproxy", importOptions = ImportOption.DoNotIncludeTests.class)
class ArchitectureTest {
    @ArchTest
    static final ArchRule packagesHaveNoCycles =
            slices().matching("registry.haproxy.(*)..")
                    .should()
                    .beFreeOfCycles()
                    .allowEmptyShould(true);

    @ArchTest
    static final ArchRule knowsOnlyThePublicApi =
            classes()
                    .should()
                    .onlyDependOnClassesThat(
                            resideInAnyPackage(
                                    "java..",
                                    "com.sun.net.httpserver..",
                                    "javax..",
                                    "registry.haproxy..",
                                    "registry.api..",
                                    "com.fasterxml.jackson..",
                                    "picocli..",
                                    "org.slf4j..",
                                    "ch.qos.logback..",
                                    "org.jspecify.."))
                    .allowEmptyShould(true);
}
