package registry.agent;

import static com.tngtech.archunit.base.DescribedPredicate.describe;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static com.tngtech.archunit.library.dependencies.SlicesRuleDefinition.slices;

import com.tngtech.archunit.core.importer.ImportOption;
import com.tngtech.archunit.junit.AnalyzeClasses;
import com.tngtech.archunit.junit.ArchTest;
import com.tngtech.archunit.lang.ArchRule;

/** The walls between the agent's packages: each technology is known at one edge. */
@AnalyzeClasses(packages = "registry.agent", importOptions = ImportOption.DoNotIncludeTests.class)
class ArchitectureTest {
    @ArchTest
    static final ArchRule packagesHaveNoCycles =
            slices().matching("registry.agent.(*)..")
                    .should()
                    .beFreeOfCycles()
                    .allowEmptyShould(true);

    @ArchTest
    static final ArchRule webServerStaysInHttp =
            onlyIn("http", "io.javalin..", "org.eclipse.jetty..", "jakarta.servlet..", "kotlin..");

    @ArchTest static final ArchRule dnsLibraryStaysInDns = onlyIn("dns", "org.xbill..");

    @ArchTest static final ArchRule jgroupsStaysInGossip = onlyIn("gossip", "org.jgroups..");

    @ArchTest static final ArchRule micrometerStaysInMetrics = onlyIn("metrics", "io.micrometer..");

    @ArchTest static final ArchRule raftEngineIsTheServersOwn = nowhere("com.alipay..");

    @ArchTest
    static final ArchRule rocksDbIsLocalStoresOwn =
            noClasses()
                    .that(
                            describe(
                                    "are not LocalStore",
                                    type ->
                                            !type.getName()
                                                    .matches(
                                                            "registry\\.agent\\.local\\.LocalStore(\\$.*)?")))
                    .should()
                    .dependOnClassesThat()
                    .resideInAPackage("org.rocksdb..")
                    .allowEmptyShould(true);

    private static ArchRule onlyIn(String room, String... libraries) {
        return noClasses()
                .that()
                .resideOutsideOfPackage("registry.agent." + room + "..")
                .should()
                .dependOnClassesThat()
                .resideInAnyPackage(libraries)
                .allowEmptyShould(true);
    }

    private static ArchRule nowhere(String library) {
        return noClasses()
                .should()
                .dependOnClassesThat()
                .resideInAPackage(library)
                .allowEmptyShould(true);
    }
}
