/* Connects, walks, shoots at the nearest enemy and prints what it sees.
 *
 *   cargo build --release -p throng-client-c
 *   cc -I client/include client/c/examples/walk_and_shoot.c target/release/libthrong.a -lm -lpthread -ldl -o walk_and_shoot
 *   ./walk_and_shoot 127.0.0.1:7777 assets/worlds/arena
 *
 * The server runs that world for the same user on the same computer: throng --world assets/worlds/arena
 * It ends with 0 when it has hit somebody, with 1 when it has not within 30 seconds, and with 2 when it could not play.
 */

#define _POSIX_C_SOURCE 199309L

#include <math.h>
#include <stdio.h>
#include <time.h>

#include "throng.h"

#define CHARACTERS_MAX 512
#define FRAME_MS 10
#define FRAMES_MAX (30 * 1000 / FRAME_MS)
#define SHOT_EVERY_FRAMES 20
#define EYES_M 1.6f
#define CHEST_M 1.0f

static int fail(const char *what, ThrongStatus status) {
    fprintf(stderr, "%s: %s\n", what, throng_status_text(status));
    return 2;
}

static void wait_for_next_frame(void) {
    struct timespec time = {0, FRAME_MS * 1000000L};
    nanosleep(&time, NULL);
}

/* The nearest of another team; 0 when there is none. */
static int nearest_enemy(uint64_t client, const ThrongCharacter *own, ThrongCharacter *enemy) {
    static ThrongCharacter others[CHARACTERS_MAX];
    size_t count = 0;
    float own_team = 0.0f, nearest_m = 50.0f;
    int is_found = 0;
    throng_attribute(client, own->net_id, "team", &own_team);
    throng_characters(client, others, CHARACTERS_MAX, &count);
    for (size_t place = 0; place < count && place < CHARACTERS_MAX; place++) {
        float team = 0.0f;
        float away_m = hypotf(others[place].position_m[0] - own->position_m[0], others[place].position_m[2] - own->position_m[2]);
        if (throng_attribute(client, others[place].net_id, "team", &team) != THRONG_STATUS_OK || team == own_team) continue;
        if (away_m < nearest_m) {
            nearest_m = away_m;
            *enemy = others[place];
            is_found = 1;
        }
    }
    return is_found;
}

/* Prints what somebody is: by that a game chooses its model. */
static void print_kind(uint64_t client, const ThrongCharacter *who) {
    char name[64];
    ThrongArchetype body;
    if (throng_archetype_name(client, who->archetype, name, sizeof name, NULL) != THRONG_STATUS_OK) return;
    if (throng_archetype(client, who->archetype, &body) != THRONG_STATUS_OK) return;
    printf("%u is a %s, %.1f m high\n", who->net_id, name, body.height_m);
}

/* Uses the ability on somebody's chest. */
static void shoot_at(uint64_t client, uint8_t ability, const ThrongCharacter *own, const ThrongCharacter *enemy) {
    float x_m = enemy->position_m[0] - own->position_m[0];
    float y_m = enemy->position_m[1] + CHEST_M - own->position_m[1] - EYES_M;
    float z_m = enemy->position_m[2] - own->position_m[2];
    throng_use_ability(client, ability, atan2f(x_m, -z_m), atan2f(y_m, hypotf(x_m, z_m)));
}

/* Prints what has happened; whether somebody was hit by us. */
static int print_events(uint64_t client, uint32_t own) {
    ThrongEvent event;
    int has_hit = 0;
    while (throng_next_event(client, &event) == THRONG_STATUS_OK) {
        switch (event.kind) {
        case THRONG_EVENT_KIND_USED:
            printf("tick %u: I shoot, and see it meet %u\n", event.tick, event.target);
            break;
        case THRONG_EVENT_KIND_HIT:
            printf("tick %u: %u has hit %u: %+.0f health\n", event.tick, event.by, event.target, event.change);
            has_hit |= event.by == own;
            break;
        case THRONG_EVENT_KIND_OTHER_USED:
            printf("tick %u: %u uses ability %u\n", event.tick, event.by, event.ability);
            break;
        case THRONG_EVENT_KIND_DIED:
            printf("tick %u: %u has died by %u\n", event.tick, event.target, event.by);
            break;
        case THRONG_EVENT_KIND_ENTERED:
        case THRONG_EVENT_KIND_LEFT:
            break;
        case THRONG_EVENT_KIND_REFUSED:
            printf("tick %u: refused, reason %u\n", event.tick, event.reason);
            break;
        case THRONG_EVENT_KIND_MISSED:
            printf("tick %u: missed, reason %u\n", event.tick, event.reason);
            break;
        }
    }
    return has_hit;
}

int main(int count, char **arguments) {
    uint64_t client = 0;
    uint8_t rifle = 0;
    int has_hit = 0, has_greeted = 0;
    ThrongCharacter start = {0}, own = {0}, enemy = {0};
    ThrongStatistics seen = {0};
    ThrongState state = THRONG_STATE_CONNECTING;
    if (count < 2) {
        fprintf(stderr, "usage: %s IP:PORT [WORLD-FOLDER]\n", arguments[0]);
        return 2;
    }
    ThrongStatus status = throng_connect_local(arguments[1], 4711, "walker", count > 2 ? arguments[2] : NULL, NULL, &client);
    if (status != THRONG_STATUS_OK) return fail("cannot connect", status);
    for (int frame = 0; frame < FRAMES_MAX && !has_hit; frame++) {
        wait_for_next_frame();
        throng_update(client);
        throng_state(client, &state);
        if (state == THRONG_STATE_CLOSED) {
            char reason[200];
            if (throng_close_reason(client, reason, sizeof reason, NULL) == THRONG_STATUS_OK) fprintf(stderr, "closed: %s\n", reason);
            return 2;
        }
        if (throng_own(client, &own) != THRONG_STATUS_OK) continue;
        if (!has_greeted) {
            has_greeted = 1;
            start = own;
            throng_ability(client, "rifle", &rifle);
            printf("I am %u at (%.1f, %.1f, %.1f); the rifle is ability %u\n", own.net_id, own.position_m[0], own.position_m[1], own.position_m[2], rifle);
        }
        /* A circle: a turn in some six seconds. */
        ThrongInput input = {cosf(frame * 0.01f), sinf(frame * 0.01f), 0.0f, 0, 0};
        input.yaw_rad = atan2f(input.move_x, -input.move_z);
        throng_set_input(client, &input);
        if (frame > 100 && frame % SHOT_EVERY_FRAMES == 0 && nearest_enemy(client, &own, &enemy)) {
            print_kind(client, &enemy);
            printf("%u is at (%.1f, %.1f, %.1f)\n", enemy.net_id, enemy.position_m[0], enemy.position_m[1], enemy.position_m[2]);
            shoot_at(client, rifle, &own, &enemy);
        }
        has_hit = print_events(client, own.net_id);
    }
    throng_statistics(client, &seen);
    printf("I have gone %.1f m and got %llu snapshots; an input is shown applied after %.0f ms\n",
           hypotf(own.position_m[0] - start.position_m[0], own.position_m[2] - start.position_m[2]),
           (unsigned long long)seen.snapshots, seen.echo_ms);
    float hour;
    if (throng_hour(client, &hour) == THRONG_STATUS_OK) printf("it is %02d:%02d in the world\n", (int)hour, (int)(hour * 60.0f) % 60);
    throng_close(client);
    /* The handle is stale now, and says so. */
    if (throng_update(client) != THRONG_STATUS_UNKNOWN_HANDLE) return 2;
    return has_hit ? 0 : 1;
}
