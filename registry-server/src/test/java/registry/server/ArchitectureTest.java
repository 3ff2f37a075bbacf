package registry.server;

import static com.tngtech.archunit.base.DescribedPredicate.describe;
import static com.tngtech.archunit.core.domain.JavaClass.Predicates.resideInAPackage;
import static com.tngtech.archunit.core.domain.JavaClass.Predicates.resideInAnyPackage;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.classes;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static com.tngtech.archunit.library.dependencies.SlicesRuleDefinition.slices;

import com.tngtech.archunit.base.DescribedPredicate;
import com.tngtech.archunit.core.domain.AccessTarget;
import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.core.importer.ImportOption;
import com.tngtech.archunit.junit.AnalyzeClasses;
import com.tngtech.archunit.junit.ArchTest;
import com.tngtech.archunit.lang.ArchRule;
import java.util.Set;

/** The walls between the server's packages. */
@AnalyzeClasses(packages = "registry.server", importOptions = ImportOption.DoNotIncludeTests.class)
class ArchitectureTest {
    private static final Set<String> TELLS_TIME =
            Set.of(
                    "now",
                    "currentTimeMillis",
                    "nanoTime",
                    "randomUUID",
                    "systemUTC",
                    "systemDefaultZone");

    @ArchTest
    static final ArchRule packagesHaveNoCycles =
            slices().matching("registry.server.(*)..")
                    .should()
                    .beFreeOfCycles()
                    .allowEmptyShould(true);

    @ArchTest
    static final ArchRule stateKnowsOnlyTheApiAndPcollections =
            classes()
                    .that()
                    .resideInAPackage("registry.server.state..")
                    .should()
                    .onlyDependOnClassesThat(
                            resideInAnyPackage(
                                    "java..",
                                    "registry.server.state..",
                                    "registry.api..",
                                    "org.pcollections..",
                                    "com.fasterxml.jackson..",
                                    "org.jspecify.."))
                    .allowEmptyShould(true);

    @ArchTest
    static final ArchRule featuresKnowNeitherTheFsmNorTheLeadersDuties =
            noClasses()
                    .that()
                    .resideInAnyPackage(
                            "registry.server.acl..",
                            "registry.server.catalog..",
                            "registry.server.health..",
                            "registry.server.kv..",
                            "registry.server.query..",
                            "registry.server.session..",
                            "registry.server.txn..")
                    .should()
                    .dependOnClassesThat()
                    .resideInAnyPackage("registry.server.fsm..", "registry.server.leader..")
                    .allowEmptyShould(true);

    @ArchTest
    static final ArchRule raftEngineStaysInRaft =
            noClasses()
                    .that()
                    .resideOutsideOfPackage("registry.server.raft..")
                    .should()
                    .dependOnClassesThat()
                    .resideInAPackage("com.alipay..")
                    .allowEmptyShould(true);

    /**
     * A read asks a quorum of the newest members alone, which after a change of several at once
     * need not have anybody in common with those before; and a clock that stands still makes two
     * leaders of a lease.
     */
    @ArchTest
    static final ArchRule whatTheEngineOffersAndIsNotSafeIsNotUsed =
            noClasses()
                    .should()
                    .accessTargetWhere(
                            describe(
                                    "the target changes several members or trusts a lease",
                                    access ->
                                            Set.of(
                                                            "changePeers",
                                                            "resetPeers",
                                                            "resetLearners",
                                                            "ReadOnlyLeaseBased")
                                                    .contains(access.getTarget().getName())));

    @ArchTest
    static final ArchRule socketsStayInLink =
            noClasses()
                    .that()
                    .resideOutsideOfPackage("registry.server.link..")
                    .should()
                    .dependOnClassesThat(
                            describe(
                                    "are sockets",
                                    type ->
                                            type.getName().startsWith("java.net.Socket")
                                                            && !type.getName().contains("Address")
                                                            && !type.getName().endsWith("Exception")
                                                    || type.getName()
                                                            .equals("java.net.ServerSocket")
                                                    || type.getName()
                                                            .equals("java.net.DatagramSocket")
                                                    || type.getName()
                                                            .startsWith("javax.net.ssl.SSLSocket")
                                                    || type.getName()
                                                            .matches(
                                                                    "java\\.nio\\.channels\\..*SocketChannel")))
                    .allowEmptyShould(true);

    @ArchTest
    static final ArchRule rocksDbHasTwoOwners =
            noClasses()
                    .that(
                            describe(
                                    "are not NodeStore or RaftStore",
                                    type ->
                                            !type.getName()
                                                    .matches(
                                                            "registry\\.server\\.(storage\\.NodeStore|raft\\.RaftStore)(\\$.*)?")))
                    .should()
                    .dependOnClassesThat()
                    .resideInAPackage("org.rocksdb..")
                    .allowEmptyShould(true);

    /**
     * What a command does must be the same on every server: time and chance come with it, stamped
     * by the leader.
     */
    @ArchTest
    static final ArchRule fsmPathHasNoClock =
            noClasses()
                    .that(onFsmPath())
                    .should()
                    .accessTargetWhere(
                            describe(
                                    "the target tells time or throws dice",
                                    access -> {
                                        AccessTarget target = access.getTarget();
                                        return target.getOwner()
                                                        .getPackageName()
                                                        .startsWith("java.")
                                                && (TELLS_TIME.contains(target.getName())
                                                        || target.getFullName()
                                                                .startsWith(
                                                                        "java.lang.Math.random"));
                                    }))
                    .allowEmptyShould(true);

    @ArchTest
    static final ArchRule fsmPathHasNoRandomness =
            noClasses()
                    .that(onFsmPath())
                    .should()
                    .dependOnClassesThat(
                            describe(
                                    "are clocks or random generators",
                                    type ->
                                            Set.of(
                                                                    "java.time.Clock",
                                                                    "java.time.InstantSource",
                                                                    "java.util.Random",
                                                                    "java.util.SplittableRandom",
                                                                    "java.security.SecureRandom",
                                                                    "java.util.concurrent.ThreadLocalRandom")
                                                            .contains(type.getName())
                                                    || type.getPackageName()
                                                            .equals("java.util.random")))
                    .allowEmptyShould(true);

    private static DescribedPredicate<JavaClass> onFsmPath() {
        return resideInAPackage("registry.server.state..")
                .or(resideInAPackage("registry.server.fsm.."))
                .or(
                        describe(
                                "tables and ops",
                                type ->
                                        type.getName()
                                                .matches(
                                                        "registry\\.server\\.\\w+\\.(\\w+(Table|Op)|LockDelay|Graveyard)(\\$.*)?")))
                .as("lie on the FSM's path");
    }
}
