"""The programs of the batched renderer, and the light model that it shares with TinyRenderer.

For a surface of colour c (times its texture) and unit normal n, under a light of colour g from the unit direction l:

    c * (ambient + g * (diffuse * max(0, n.l) + specular * max(0, r_z)^2)),    r = 2 (n.l) n - l

clipped at 1. The highlight depends on how far the reflected ray r points up and not on the camera: that is
TinyRenderer's model, and both renderers are to give one picture for one look. The robot is shaded flat, by triangle;
bodies by vertex, and their textures are sampled without filter.
"""

VERTEX = """
#version 330
in vec3 vertex;
in vec3 normal;
#ifdef ROBOT
in vec3 own_rgb;
flat out vec4 colour;
#else
in vec2 place;
out vec3 texture_place;
out vec4 colour;
#endif
in mat4 to_clip;  // of the atlas: the view's tile is in it
in vec4 light;    // direction in the part's frame; its height in the world
in vec4 up;       // the world's z axis in the part's frame; number of the tile, see y below
in vec4 tint;     // rgb; layer of the texture
in vec4 diffuse;  // rgb; the ambient coefficient
in vec4 specular; // rgb; the part's number / 255
uniform float num_tiles;

void main() {
    gl_Position = to_clip * vec4(vertex, 1.0);
    float y = gl_Position.y * num_tiles - up.w * gl_Position.w;  // within the view's own tile
    gl_ClipDistance[0] = gl_Position.w - y;
    gl_ClipDistance[1] = gl_Position.w + y;
    float facing = dot(normal, light.xyz);
    float glance = max(0.0, 2.0 * facing * dot(normal, up.xyz) - light.w);
    vec3 lit = diffuse.w + diffuse.rgb * max(0.0, facing) + specular.rgb * glance * glance;
#ifdef ROBOT
    colour = vec4(min(own_rgb * tint.rgb, 1.0) * lit, specular.w);
#else
    colour = vec4(tint.rgb * lit, specular.w);
    texture_place = vec3(place, tint.w);
#endif
}
"""

FRAGMENT = """
#version 330
#ifdef ROBOT
flat in vec4 colour;
#else
uniform sampler2DArray textures;
in vec3 texture_place;
in vec4 colour;
#endif
out vec4 pixel;

void main() {
#ifdef ROBOT
    pixel = colour;
#else
    pixel = vec4(colour.rgb * texture(textures, texture_place).rgb, colour.a);
#endif
}
"""


def sources(*, robot: bool) -> dict[str, str]:
    """Return vertex and fragment shader, for the robot or for bodies."""
    define = "#version 330\n#define ROBOT" if robot else "#version 330"
    return {
        "vertex_shader": VERTEX.replace("#version 330", define),
        "fragment_shader": FRAGMENT.replace("#version 330", define),
    }
